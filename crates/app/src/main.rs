//! The binary `cardan`.
fn main() {}
