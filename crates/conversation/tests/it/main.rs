//! Conversations as every door has them: no HTTP, and flows that only remember what was planned.
#![expect(clippy::unwrap_used, reason = "a failed test should panic")]

mod room;
mod spans;
mod speaking;
mod taking;
