//! What happened, as it is remembered in the stream `conversation-{id}`.
//!
//! All of these are stored there, in the order in which they were decided. [`Event::Published`] is also what goes to
//! its topic: the gate appends its payload to `topic-{topic}` in the same batch.

mod changed;
mod data;

use std::fmt;

use crate::Wait;

pub(crate) use changed::short;
pub use data::{
    ActFailed, ActProcessed, ActResult, ActStatus, ActionExecuted, ActionFailed, ActionUnknown, Answered,
    Closed, CommitReopened, Complaint, Ended, Joined, Published, Started, StateChanged, ValidationError,
};

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
    /// Nobody knows whether a business system has done what a commit wanted.
    ActionUnknown(ActionUnknown) = "BusinessActionUnknown",
    /// A run has something to say about a commit that was over and forgotten.
    CommitReopened(CommitReopened) = "CommitReopened",
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
    ActionUnknown => ActionUnknown,
    CommitReopened => CommitReopened,
    Published => Published,
    Wait => WaitOpened,
    Answered => WaitAnswered,
    Closed => WaitClosed,
}

impl Event {
    /// The commit, the run that is not at work on it any more, and whether it has done what was wanted.
    pub(crate) fn run_ended(&self) -> Option<(&str, &str, bool)> {
        match self {
            Event::ActionExecuted(done) => Some((&done.commit_id, done.run.as_deref()?, true)),
            Event::ActionFailed(failed) => Some((&failed.commit_id, failed.run.as_deref()?, false)),
            _ => None,
        }
    }
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
