//! Adapters against real sockets: what every kind must do, and what is rest's own.
#![expect(clippy::unwrap_used, reason = "a failed expectation is a failed test")]

mod conformance;
mod remote;
mod rest;
mod rig;
mod secured;
