//! The laws of the repository.

#![expect(clippy::unwrap_used, reason = "a failed test should panic")]

mod adapters;
mod arrows;
mod docs;
mod files;
