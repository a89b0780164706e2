//! What a message's row holds, and what its run is told in the end.

use std::time::Duration;

use port::Landed;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{Answer, AnswerOp, OutboxRow};

use crate::looking::{Looking, NotFound};

/// The kind of row that is a message of `tell`.
pub const KIND: &str = "tell";
/// What a message's row holds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Tell {
    /// The operation's input.
    pub input: Value,
    /// The idempotency key.
    pub key: String,
    /// The run that told it.
    pub run: String,
    /// The step that told it.
    pub step: String,
    /// The trace to continue, as a `traceparent`.
    #[serde(default)]
    pub trace: Option<String>,
    /// Whether the run may undo it; messages that do not say so may have to be.
    #[serde(default = "yes")]
    pub undone: bool,
    /// Whether those after it wait when it is dead.
    #[serde(default = "yes")]
    pub holds: bool,
    /// How to find out whether it arrived, when nobody knows and it must not be sent again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub look: Option<Look>,
    /// The member of a group that was asked last. While the message may have arrived, it goes to nobody else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<String>,
    /// Whether a person has said that it is sent once more, though it may have arrived and must not be repeated.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub again: bool,
}

impl Tell {
    /// The member of a group that may have it, and to which it goes then.
    pub(crate) fn bound(&self, row: &OutboxRow) -> Option<&str> {
        self.asked.as_deref().filter(|_| row.perhaps)
    }
}

/// How a message is looked up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Look {
    /// Until the first look-up, in milliseconds.
    pub after_ms: u64,
    /// Between two.
    pub every_ms: u64,
    /// How long to go on.
    pub until_ms: u64,
    /// What is done when nothing is found.
    pub not_found: NotFound,
    /// The look-up's input, as it was when the message was told.
    pub with: Value,
    /// The names that stood for something at the step, such as those of loops.
    pub names: Value,
}

impl Look {
    /// How often, and for how long.
    pub fn looking(&self) -> Looking {
        let ms = Duration::from_millis;
        let (after, every, until) = (ms(self.after_ms), ms(self.every_ms), ms(self.until_ms));
        Looking { after, every, until, not_found: self.not_found }
    }
}

fn yes() -> bool {
    true
}

/// What became of a message, as an answer for its run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Settled {
    /// It arrived.
    Delivered {
        /// The step that told it.
        step: String,
        /// What the system answered; `null` when that was lost.
        output: Value,
        /// How often it was sent, retries of the guard included.
        attempts: u32,
        /// The member of a group that took it.
        member: Option<String>,
    },
    /// It is a dead letter.
    Dead {
        /// The step that told it.
        step: String,
        /// Code of the cause.
        code: String,
        /// Message of the cause.
        message: String,
        /// Whether it may have arrived.
        landed: Landed,
        /// How often it was sent, retries of the guard included.
        attempts: u32,
        /// The member of a group that may have it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        member: Option<String>,
    },
}

impl Settled {
    /// The step that told it.
    pub fn step(&self) -> &str {
        match self {
            Self::Delivered { step, .. } | Self::Dead { step, .. } => step,
        }
    }

    /// Reads an answer.
    pub fn read(answer: &Answer) -> Option<Self> {
        serde_json::from_slice(&answer.payload).ok()
    }

    /// The answer that says so.
    pub(crate) fn answer(&self, run: &str, at: jiff::Timestamp) -> AnswerOp {
        let payload = serde_json::to_vec(self).unwrap_or_default();
        AnswerOp::Put(Answer { run: run.to_owned(), step: self.step().to_owned(), at, payload })
    }
}
