//! The fault matrix: rows F7, F8, F12, F13, F14 and F15. Each prints its figures (`--nocapture`).
//!
//! Rows about load run on a paused clock: their figures are exact, and the same on any machine.
#![expect(clippy::unwrap_used, reason = "a failed test should panic")]

mod answers;
mod ear;
mod load;
mod memory;
mod model;
mod neighbour;
mod network;
mod overload;
mod poison;
mod remote;
mod rested;
mod storm;

/// The allocator of the product, so that figures about memory are about the product.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
