//! `adapters` speaks to the business systems: one folder per kind of system, all of them in [`list`].
//!
//! An adapter turns one call into one exchange and one answer or [`port::Fault`]. It does not know guards, stores,
//! flows or doors, and it never retries, sleeps, spawns or counts: whoever holds the [`port::Link`] does.

pub mod env;
#[cfg(feature = "http")]
mod http;
pub mod list;
#[cfg(feature = "rest")]
pub mod rest;

pub use env::{Env, Secrets};
pub use list::{Build, Built, Kind, Kinds};
