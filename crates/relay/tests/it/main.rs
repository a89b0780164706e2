//! The relay over a store that is held in memory and a clock that stands still while everybody waits.
#![expect(clippy::unwrap_used, reason = "a failed test should panic")]

mod clocks;
mod delivering;
mod groups;
mod lanes;
mod leases;
mod looking;
mod random;
mod unknown;
mod world;
