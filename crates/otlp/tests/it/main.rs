//! Export to collectors on loopback: well, away, slow, busy and picky.
#![expect(clippy::unwrap_used, reason = "a failed test should panic")]

mod collector;
mod delivered;
mod heard;
mod trouble;
