//! A question of a flow: what is shown, whom it is for, until when it can be answered.

mod by;
mod past;

use act::vocabulary;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(crate) use by::Denied;
pub use by::{By, Standing};
pub use past::Past;

vocabulary! {
    /// How a question ended.
    Closing {
        Answered = "answered", Expired = "expired", Withdrawn = "withdrawn", Changed = "changed", Ended = "ended",
    }
}

/// What a run asks with an `ask` or a `confirm`. It counts for one answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// Its name: the same for one asking of one step of one run, never given twice.
    pub id: String,
    /// The words: a confirm's summary, an ask's prompt.
    pub text: String,
    /// The version of the entity that is shown. A later one withdraws the question; `None` where only words are shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// What is shown beside the words: amounts, planned effects.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub shows: Value,
    /// The digest of everything that is shown, hexadecimal.
    pub digest: String,
    /// Who may answer.
    #[serde(default, skip_serializing_if = "By::is_anybody")]
    pub by: By,
    /// Who committed what the run is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub committer: Option<String>,
    /// When it was asked.
    pub asked: Timestamp,
    /// When it can no longer be answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
}

impl Question {
    /// Whether it can no longer be answered.
    pub fn is_expired(&self, at: Timestamp) -> bool {
        self.expires.is_some_and(|expires| expires <= at)
    }

    /// Whether these are its words; blanks around them do not count, everything else does.
    pub fn reads(&self, text: &str) -> bool {
        self.text.trim() == text.trim()
    }
}
