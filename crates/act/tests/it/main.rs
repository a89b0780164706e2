//! The documents of the specification, judged from outside.

mod schemas;
mod vectors;
