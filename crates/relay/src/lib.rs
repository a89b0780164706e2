//! `relay` delivers what was written to leave after a commit: the messages of `tell`, one lane for each system.
//!
//! Whoever decides that something shall leave puts a row into the store's outbox, in the batch that decides it. The relay
//! reads those rows lane by lane and delivers them. Within one lane and key they arrive in the order in which they were
//! written, each once while nothing fails; a row that has to be tried again, or is dead, holds its key and nobody else.
//! What became of a row is written in one commit with the row's end: the answer for its run, or a dead letter.
//!
//! It does not know flows, journals, HTTP or any vendor. Read in this order: [`Relay`] (what there is), `round.rs` (which
//! rows go now), `deliver.rs` (one row), `verdict.rs` (what an answer means: pure), `looking.rs` (what it means to find nothing: pure).

mod deliver;
mod lane;
mod letter;
mod listener;
mod look;
mod looking;
mod round;
mod running;
mod scribe;
mod send;
mod tell;
mod verdict;

pub use lane::Lane;
pub use listener::{Listener, Noop};
pub use look::LooksUp;
pub use looking::{Looking, NotFound, Nothing, Times, spread};
pub use running::{Deps, Limits, Relay};
pub use tell::{KIND, Look, Settled, Tell};

/// The points of this crate at which the crash harness may kill the process, in the order a delivery passes them.
pub fn failpoints() -> &'static [&'static str] {
    &["relay.sending", "relay.sent", "relay.written"]
}
