//! `store` keeps the log and everything that must be true together with it.
//!
//! It does not know acts, flows, HTTP or any vendor: it keeps bytes in streams, rows beside them, and commits a
//! [`Batch`] of both at once. What [`Store::commit`] answered with a [`Receipt`] survives `kill -9` and power loss;
//! what it refused has left nothing behind.
//!
//! Read in this order: [`Batch`] (what is written together), [`Store`] (commit and read), then `sqlite/` (how).

mod answers;
mod batch;
mod census;
mod checkpoints;
mod claims;
mod dead;
mod error;
mod event;
pub mod failpoint;
mod fate;
mod health;
mod keys;
mod lease;
mod mutants;
mod options;
mod outbox;
mod reading;
mod runs;
mod signals;
mod sqlite;
mod states;
mod store;
mod table;
mod timers;

pub use answers::{Answer, AnswerOp};
pub use batch::{Batch, Receipt};
pub use census::Census;
pub use checkpoints::Checkpoint;
pub use claims::{Claim, Work};
pub use dead::{DeadFilter, DeadLetter, DeadOp, DeadState, Tried};
pub use error::Error;
pub use event::{Append, Event, Expected, NewEvent};
pub use failpoint::{failpoint, failpoints};
pub use fate::{Fate, Moment};
pub use health::{Health, Verified};
pub use keys::{KeyOp, KeyRecord, KeyState};
pub use lease::Lease;
pub use mutants::mutant;
pub use options::Options;
pub use outbox::{OutboxBacklog, OutboxFilter, OutboxHead, OutboxLane, OutboxOp, OutboxRow, OutboxStage};
pub use runs::{DefinitionRow, RunFilter, RunRow, RunStatus};
pub use signals::{Signal, SignalOp};
pub use states::{State, StateRow};
pub use store::Store;
pub use table::{Cell, Table};
pub use timers::{Timer, TimerOp};
