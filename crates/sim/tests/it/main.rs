//! The stand-in systems as a caller meets them: over real HTTP.
#![expect(clippy::unwrap_used, reason = "a failed expectation is a failed test")]

mod keys;
mod misbehaviour;
mod systems;
mod town;
