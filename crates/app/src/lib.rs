//! `app` reads the configuration, wires the rooms together, starts and drains them, and is the command line.
//!
//! It does not know how anything works: what an act means, how a step is journaled or how a call is guarded is
//! decided in the crates it joins.

#![deny(clippy::print_stdout, reason = "it panics when the reader has gone: write to `stdout()` and ask")]

mod bounded;
pub mod cli;
pub mod config;
pub mod play;
mod terminal;
pub mod wire;
