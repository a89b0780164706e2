//! `react` decides what an act changes: fields of entities, which runs start, who is answered, what is published.
//!
//! Read in this order: [`Conversation`] (what is known before), [`decide()`] (what an act makes of it), [`Event`] (how
//! it is remembered). Everything that changes is an event; a conversation is nothing but its events folded in order,
//! so what is decided and what is replayed cannot differ.
//!
//! It is pure: no async, no I/O, no clock, no dice. It does not know stores, doors, flows' insides or any system: a
//! [`Start`] names a flow and hands over its input, and somebody else runs it.

mod commitment;
mod conversation;
mod decide;
mod entity;
mod event;
mod fold;
mod lifecycle;
mod outcome;
mod question;
mod rules;
mod wait;
mod weight;

pub use commitment::Commitment;
pub use conversation::{Conversation, Counts};
pub use decide::{Decision, Refusal, Ruling, Signal, Start, Utterance, decide};
pub use entity::EntityState;
pub use event::{
    ActFailed, ActProcessed, ActResult, ActStatus, ActionExecuted, ActionFailed, ActionUnknown, Answered,
    Closed, CommitReopened, Complaint, Ended, Event, Joined, Published, Started, StateChanged, Unreadable,
    ValidationError,
};
pub use fold::OutOfOrder;
pub use lifecycle::{begin, close_question, close_waits, end, join, open_waits};
pub use outcome::{Change, Outcome, outcome};
pub use question::{By, Closing, Past, Question, Standing};
pub use rules::{DeriveRule, EntityRules, Limits, Route, Rules, derive_shape, entity_shape};
pub use wait::{Wait, Want};
