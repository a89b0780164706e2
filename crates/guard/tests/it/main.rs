//! The guard around scripted systems, with the runtime's clock paused.
#![expect(clippy::unwrap_used, reason = "a failed test should panic")]

mod attending;
mod breaking;
mod caching;
mod costing;
mod fitting;
mod fixture;
mod hedging;
mod hurrying;
mod keying;
mod naming;
mod probing;
mod profiles;
mod queueing;
mod racing;
mod retrying;
mod sparing;
mod spending;
mod suite;
mod suited;
mod telling;
mod waiting;
