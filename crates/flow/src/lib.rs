//! `flow` runs what a commit sets in motion: steps, timers, answers, compensation; durably, once, or undone.
//!
//! Read in this order: [`Definition`] (what a user wrote, compiled and checked), `core` (a pure function of
//! definition, state and event to decisions), [`Engine`] (performs the decisions and writes the journal), [`RunView`]
//! (what people see of a run).
//!
//! It does not know HTTP, SQL, brokers or any vendor: it calls operations of [`port::Systems`], commits batches to
//! [`store::Store`], and speaks into conversations through [`conversation::ConversationPort`]. What leaves by itself it
//! writes as rows, and `relay` delivers them. It has no clock and no dice of its own.

mod core;
mod definition;
mod driver;
mod error;
mod integration;
mod listener;
mod view;

pub mod templates;

pub use core::{
    Answered, Author, Decided, EffectView, Failure, KnownBy, Landing, Lineage, QuestionEnd, Rollback,
};
pub use core::{Start, UndoView, Undone};
pub use definition::{
    Definition, Input, Known, KnownOperation, OnExhausted, Trigger, circles, compile, shape,
};
pub use driver::{
    Deps, Engine, ForPeople, ForPerson, Limits, Live, LivePage, Matter, Need, Needs, Remedy, RunId, Sent,
    Undelivered, failpoints,
};
pub use error::Error;
pub use listener::{Listener, Silence, Transition};
pub use view::{Attempted, BlockedOn, Delivery, Letter, LookedUp, RunView, StepStatus, StepView};
