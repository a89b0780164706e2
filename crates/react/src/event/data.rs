//! What each event tells.

use std::sync::Arc;

use act::{Act, Action, ConversationStatus, Fact, Operation, Participant, vocabulary};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::{Closing, Commitment};

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
    /// Whether its role and permissions were given by somebody who may speak for others.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub vouched: bool,
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

impl ActProcessed {
    /// The event's data, around the act's JSON as it was written before: the same as [`crate::Event::encode`] without
    /// writing the act again.
    pub fn encode_around(&self, act: &RawValue) -> Vec<u8> {
        #[derive(Serialize)]
        struct Around<'a> {
            act: &'a RawValue,
            result: &'a ActResult,
            correlation_id: &'a str,
        }
        let Self { act: _, result, correlation_id } = self;
        serde_json::to_vec(&Around { act, result, correlation_id }).unwrap_or_default()
    }
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
    /// What it was; null when it was not there. Left out when it is long: it is in the log before.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "told")]
    pub previous_value: Option<Value>,
    /// What it is; null when it is gone. Left out after an `append` or a `merge` whose result is long.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "told")]
    pub new_value: Option<Value>,
    /// What an `append` or a `merge` laid on. Events that were written before this was told have the new value instead.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "told")]
    pub change: Option<Value>,
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

/// A member that is there, also when it is null.
fn told<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
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

/// Nobody knows whether what a run asked of a business system for a commit has landed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ActionUnknown {
    /// The commit.
    pub commit_id: String,
    /// The run.
    pub run: String,
    /// The step that asked.
    pub step: String,
    /// What directly caused it: the act that says so.
    pub causation_id: String,
}

/// A run has something to say about a commit that was over and forgotten.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CommitReopened {
    /// The commit.
    pub commit_id: String,
    /// What was known of it.
    pub commitment: Commitment,
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
    /// The question, when the step asked one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<String>,
    /// Who answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// The run waits no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closed {
    /// The run.
    pub run: String,
    /// The step that waited; every step of the run without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// The question; every question of the step without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<String>,
    /// How the question ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub how: Option<Closing>,
    /// Who withdrew it, when somebody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
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
