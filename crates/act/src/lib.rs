//! `act` knows what people, apps and agents say: acts, entities, participants, conversations, constraints.
//!
//! It reads JSON into types and tells everything that is wrong, each with an RFC 6901 pointer; it writes the types
//! back without adding a default; it applies facts to fields and constraints to values; it publishes the schemas.
//! It is pure: no async, no I/O but the reader and writer it is handed, no clock and no dice of its own.
//!
//! It does not know what an act *changes* (that is `react`), nor any store, door or business system.

mod act;
mod amend;
mod body;
mod constraint;
mod conversation;
mod default;
mod entity;
mod id;
mod issue;
mod participant;
mod time;
mod vocabulary;

mod check;
mod evaluate;
mod format;
mod json;
mod lines;
mod mend;
mod operate;
mod pattern;
mod read;
mod rules;
mod schema;
mod stored;
mod warn;

pub mod draft;

pub use act::Act;
pub use amend::{amend, may_amend};
pub use body::{Ask, Body, Commit, CommitError, Confirm, Count, Custom, Fact, Failure};
pub use check::{Accepted, Checked, DocumentKind, check, parse_act};
pub use constraint::{Constraint, Range, Rule};
pub use conversation::{Conversation, Unchanged};
pub use entity::{Entity, EntityRef};
pub use evaluate::{Demands, HouseRule, HouseRules, Unmet};
pub use id::{ActId, ConversationId, time_ordered};
pub use issue::Issue;
pub use json::{MAX_DEPTH, parse_json};
pub use lines::{MAX_LINE, validate_lines};
pub use mend::Mended;
pub use operate::{OpError, apply};
pub use participant::Participant;
pub use rules::{CustomType, Mode, NotAName, Rules, UnknownSpeaker};
pub use schema::{MODEL_VERSION, SCHEMAS, schema, schema_id};
pub use time::Time;
#[doc(hidden)]
pub use vocabulary::one_of;
pub use vocabulary::{
    Action, Category, CommitStatus, ConfirmationMethod, ConversationStatus, ExpectedType, Format, Kind,
    Operation, ParticipantType, Severity, Source, SuggestedAction, ValidationStatus, Word,
};

/// A JSON object.
pub type Map = serde_json::Map<String, serde_json::Value>;
