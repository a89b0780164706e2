//! `testkit` makes bad days on purpose, so that tests can hold the house to its promises.
//!
//! It knows no crate's insides: it meets the house where its callers and its systems do.

pub mod crash;
pub mod fault_proxy;
mod reserved;
pub mod servers;
