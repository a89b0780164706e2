//! The documents of the specification, judged from outside.

mod vectors;
