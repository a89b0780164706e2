//! The documents of the specification, judged from outside.

mod hard_cases;
mod round_trip;
mod schemas;
mod vectors;
