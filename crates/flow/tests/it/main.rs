//! Flows over a real store, with systems that keep a ledger of what was done to them.
#![expect(clippy::unwrap_used, reason = "a failed test should panic")]

mod answers;
mod children;
mod commands;
mod corners;
mod defects;
mod definitions;
mod faults;
mod full;
mod keys;
mod leases;
mod ledger;
mod leftover;
mod listening;
mod motion;
mod once;
mod once_ever;
mod pausing;
mod planted;
mod race;
mod sagas;
mod spans;
mod still;
mod tasks;
mod telling;
mod told;
mod undo_doubt;
mod undoing;
mod unfit;
mod verifying;
mod waking;
mod world;
