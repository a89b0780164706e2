//! The gate as its callers see it: over the router in this process, and some of it over real connections.

#![expect(clippy::unwrap_used, reason = "a failed test should panic")]

mod acts;
mod crowd;
mod fixture;
mod flows;
mod guards;
mod idempotent;
mod inbox;
mod live;
mod named;
mod numbers;
mod once;
mod operators;
mod over;
mod questions;
mod refused;
mod shown;
mod signals;
mod tail;
mod tokens;
mod trouble;
mod wire;
