//! One count over several nodes, in real servers. Every story is told once and holds for each kind of server.

#![expect(clippy::unwrap_used, reason = "a failed test should panic")]

mod ear;
mod node;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "redis")]
mod redis;
mod stories;
