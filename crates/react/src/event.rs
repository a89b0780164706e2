//! What happened, as it is remembered in the stream `conversation-{id}`.
//!
//! All of these are stored there, in the order in which they were decided. [`Event::Published`] is also what goes to
//! its topic: the gate appends its payload to `topic-{topic}` in the same batch.

use std::fmt;
use std::sync::Arc;

use act::{Act, Action, ConversationStatus, Fact, Operation, Participant, vocabulary};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Wait;

macro_rules! events {
    ($($(#[$doc:meta])* $variant:ident($data:ty) = $name:literal,)+) => {
        /// Something that happened in a conversation.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Event {
            $($(#[$doc])* $variant($data),)+
        }

        impl Event {
            /// The event's type, as it is stored.
            pub fn name(&self) -> &'static str {
                match self { $(Event::$variant(_) => $name,)+ }
            }

            /// The event's data as JSON.
            pub fn encode(&self) -> Vec<u8> {
                match self { $(Event::$variant(data) => serde_json::to_vec(data),)+ }.unwrap_or_default()
            }

            /// Reads an event back.
            pub fn decode(name: &str, data: &[u8]) -> Result<Self, Unreadable> {
                let unreadable = |cause: serde_json::Error| Unreadable { name: name.to_owned(), cause: cause.to_string() };
                match name {
                    $($name => serde_json::from_slice(data).map(Event::$variant).map_err(unreadable),)+
                    _ => Err(Unreadable { name: name.to_owned(), cause: "no event has this type".to_owned() }),
                }
            }
        }
    };
}

macro_rules! into_event {
    ($($data:ty => $variant:ident,)+) => {
        $(impl From<$data> for Event {
            fn from(data: $data) -> Self {
                Event::$variant(data)
            }
        })+
    };
}

events! {
    /// The conversation began.
    Started(Started) = "ConversationStarted",
    /// Somebody takes part.
    Joined(Joined) = "ParticipantJoined",
    /// An act was taken.
    ActProcessed(ActProcessed) = "ActProcessed",
    /// An act was taken and a rule about it could not be evaluated.
    ActFailed(ActFailed) = "ActProcessingFailed",
    /// A field of an entity is another than before.
    StateChanged(StateChanged) = "entity-state-changed",
    /// An act would have made an entity invalid and changed nothing.
    ValidationError(ValidationError) = "entity-validation-error",
    /// A business system has done what a commit wanted.
    ActionExecuted(ActionExecuted) = "BusinessActionExecuted",
    /// A business system has not done what a commit wanted, and is not at it any more.
    ActionFailed(ActionFailed) = "BusinessActionFailed",
    /// Something for a topic: derived by a rule, or a commit that no flow takes.
    Published(Published) = "EventPublished",
    /// A run waits for an answer.
    WaitOpened(Wait) = "WaitOpened",
    /// The answer came.
    WaitAnswered(Answered) = "WaitAnswered",
    /// The run waits no more.
    WaitClosed(Closed) = "WaitClosed",
    /// The conversation paused, went on or was cancelled.
    StatusChanged(Ended) = "ConversationStatusChanged",
    /// The conversation ended well.
    Completed(Ended) = "ConversationCompleted",
    /// The conversation ended badly.
    Failed(Ended) = "ConversationFailed",
}

into_event! {
    Started => Started,
    Joined => Joined,
    ActProcessed => ActProcessed,
    ActFailed => ActFailed,
    StateChanged => StateChanged,
    ValidationError => ValidationError,
    ActionExecuted => ActionExecuted,
    ActionFailed => ActionFailed,
    Published => Published,
    Wait => WaitOpened,
    Answered => WaitAnswered,
    Closed => WaitClosed,
}

/// A stored event that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// The event's type.
    pub name: String,
    /// What is wrong with it.
    pub cause: String,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "reading event {}: {}", self.name, self.cause)
    }
}

impl std::error::Error for Unreadable {}

/// The conversation began.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Started {
    /// On whose behalf.
    pub tenant: Arc<str>,
    /// When.
    pub at: Timestamp,
    /// Over what it is held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// What the caller said about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<Map<String, Value>>,
}

/// Somebody takes part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Joined {
    /// Who.
    pub participant: Participant,
}

/// An act was taken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ActProcessed {
    /// The act.
    pub act: Arc<Act>,
    /// What became of it.
    pub result: ActResult,
    /// One id for everything that one request set in motion.
    pub correlation_id: Arc<str>,
}

/// What became of an act.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ActResult {
    /// In a word.
    pub status: ActStatus,
    /// How many runs it starts.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub runs: usize,
    /// The commit whose state it tells, when a run says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(runs: &usize) -> bool {
    *runs == 0
}

impl From<ActStatus> for ActResult {
    fn from(status: ActStatus) -> Self {
        Self { status, runs: 0, commit: None }
    }
}

vocabulary! {
    /// What became of an act, in a word.
    ActStatus {
        Recorded = "recorded", Applied = "applied", Invalid = "invalid", Routed = "routed", Unrouted = "unrouted",
        Advanced = "advanced",
    }
}

/// An act was taken and a rule about it could not be evaluated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ActFailed {
    /// The act.
    pub act_id: String,
    /// What went wrong.
    pub error: Complaint,
    /// One id for everything that one request set in motion.
    pub correlation_id: Arc<str>,
}

/// A field of an entity is another than before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StateChanged {
    /// The entity.
    pub entity_id: String,
    /// The conversation.
    pub conversation_id: Arc<str>,
    /// The field.
    pub field: String,
    /// What it was; null when it was not there.
    pub previous_value: Value,
    /// What it is; null when it is gone.
    pub new_value: Value,
    /// When it was decided.
    pub timestamp: Timestamp,
    /// The entity's type, when it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity_type: Option<String>,
    /// What was done to the field. After `delete` it is gone.
    pub operation: Operation,
    /// The act that did it.
    pub act_id: String,
}

/// An act would have made an entity invalid and changed nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ValidationError {
    /// The entity.
    pub entity_id: String,
    /// The conversation.
    pub conversation_id: Arc<str>,
    /// Everything that is wrong.
    pub errors: Vec<Complaint>,
    /// The fact, when it was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fact: Option<Value>,
    /// The act.
    pub act_id: String,
}

impl ValidationError {
    pub(crate) fn told(fact: &Fact) -> Option<Value> {
        serde_json::to_value(fact).ok()
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Complaint {
    /// A stable word for machines.
    pub code: String,
    /// A sentence for people.
    pub message: String,
    /// The field at fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

impl Complaint {
    pub(crate) fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into(), field: None }
    }

    pub(crate) fn of(self, field: &str) -> Self {
        Self { field: Some(field.to_owned()), ..self }
    }
}

/// A business system has done what a commit wanted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ActionExecuted {
    /// The commit.
    pub commit_id: String,
    /// What was done.
    pub action: Action,
    /// With what.
    pub entity: String,
    /// The system's name for it.
    pub transaction_id: Option<String>,
    /// What directly caused it: the act that says so.
    pub causation_id: String,
    /// The run that did it; absent when the act came from outside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
}

/// A business system has not done what a commit wanted, and is not at it any more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ActionFailed {
    /// The commit.
    pub commit_id: String,
    /// Why.
    pub error: Value,
    /// What directly caused it: the act that says so.
    pub causation_id: String,
    /// The run that did it; absent when the act came from outside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
}

/// Something for a topic.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Published {
    /// The topic.
    pub topic: String,
    /// What is said there.
    pub payload: Value,
}

/// The answer came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    /// The run.
    pub run: String,
    /// The step that waited.
    pub step: String,
    /// The act that answers.
    pub act_id: String,
}

/// The run waits no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closed {
    /// The run.
    pub run: String,
    /// The step that waited; every step of the run without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
}

/// The conversation has another status.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ended {
    /// The status.
    pub status: ConversationStatus,
    /// When.
    pub at: Timestamp,
    /// Why, when it ended badly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Value>,
}
