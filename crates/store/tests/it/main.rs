//! What the store promises, seen from outside.

#![expect(clippy::unwrap_used, reason = "a failed expectation is a failed test")]

mod append;
mod crash;
mod damage;
mod full;
mod given;
mod inline;
mod keys;
mod lanes;
mod leases;
#[cfg(all(feature = "failpoints", feature = "mutants"))]
mod mutants;
mod opening;
mod oracle;
mod reading;
mod rows;
