//! What an act makes of a conversation.

mod admit;
mod answer;
pub(crate) mod commit;
mod derived;
mod fact;
mod size;
mod stale;

use std::fmt;
use std::sync::Arc;

use act::{Act, Action, Body, Issue, Word as _};
use jiff::Timestamp;
use serde_json::{Value, json};

use serde::{Deserialize, Serialize};

use crate::{
    ActProcessed, ActResult, ActStatus, Closing, Complaint, Conversation, Event, Published, Rules, Standing,
    Wait,
};

pub(crate) use derived::derive;

/// An act that arrived and was checked.
#[derive(Clone, Debug)]
pub struct Utterance {
    /// The act.
    pub act: Arc<Act>,
    /// When it arrived.
    pub at: Timestamp,
    /// One id for everything that one request set in motion.
    pub correlation: Arc<str>,
    /// What is known of its speaker.
    pub standing: Standing,
}

/// What is to be written and done. The events are the whole change: fold them, and the conversation is up to date.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Decision {
    /// What happened, in order. All of it belongs into the conversation's stream.
    pub events: Vec<Event>,
    /// Runs to begin in the same batch.
    pub starts: Vec<Start>,
    /// Answers for waiting runs, to be delivered in the same batch.
    pub signals: Vec<Signal>,
    /// What is odd about the act, and no reason to refuse it.
    pub warnings: Vec<Issue>,
}

/// A run to begin. Its name comes from the commit's name and the flow's, so the same commit never begins it twice.
#[derive(Clone, Debug, PartialEq)]
pub struct Start {
    /// The flow.
    pub flow: String,
    /// The commit act.
    pub commit_id: String,
    /// The entity.
    pub entity: String,
    /// The entity's type, when it is known.
    pub entity_type: Option<String>,
    /// What is to be done.
    pub action: Action,
    /// By which system: its one name.
    pub system: Option<String>,
    /// The caller's own key against doing it twice.
    pub idempotency_key: Option<String>,
    /// What the flow sees: `{entity, act, conversation}`.
    pub input: Value,
}

/// What a waiting run is to hear: the answer, or that none will come.
#[derive(Clone, Debug, PartialEq)]
pub struct Signal {
    /// The run.
    pub run: String,
    /// The step that waits.
    pub step: String,
    /// The question that is closed by this; `None` of a wait that is older than questions, or waits for an event.
    pub question: Option<String>,
    /// Unique for its run: the step or question, and the act that answers.
    pub id: String,
    /// The answer; of a question that is closed without one, `{how, by, reason}`.
    pub payload: Value,
    /// How the question ended.
    pub how: Closing,
}

impl Signal {
    pub(crate) fn answer(wait: &Wait, act: &Act, payload: Value) -> Self {
        let question = wait.question.as_ref().map(|question| question.id.clone());
        let id = format!("{}/{}", question.as_deref().unwrap_or(&wait.step), act.id);
        Self { run: wait.run.clone(), step: wait.step.clone(), question, id, payload, how: Closing::Answered }
    }

    pub(crate) fn closed(wait: &Wait, how: Closing, by: Option<&str>, reason: Option<&str>) -> Self {
        let question = wait.question.as_ref().map(|question| question.id.clone());
        let id = format!("{}/{}", question.as_deref().unwrap_or(&wait.step), how.as_str());
        let payload = json!({ "how": how, "by": by, "reason": reason });
        Self { run: wait.run.clone(), step: wait.step.clone(), question, id, payload, how }
    }
}

/// What became of an act, as its speaker is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ruling {
    /// In a word.
    pub status: ActStatus,
    /// Why it changed nothing, when it is invalid.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Complaint>,
}

/// Why an act is not taken. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// A stable word for machines.
    pub code: &'static str,
    /// A sentence that says what would be right.
    pub message: String,
    /// RFC 6901 pointer into the act; empty when the act itself is not at fault.
    pub pointer: &'static str,
}

impl Refusal {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), pointer: "" }
    }

    pub(crate) fn closed() -> Self {
        Self::new("conversation.closed", "expected a conversation that has not ended")
    }

    pub(crate) fn full(what: &str) -> Self {
        Self::new("conversation.full", format!("expected fewer {what} in one conversation"))
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Refusal {}

/// Decides what an act makes of a conversation, without changing it.
///
/// A fact changes its entity, or is invalid and changes nothing. A commit starts the flows that take it, or is
/// published on `integration-{system}`. A fact or confirm that answers a question closes it; a change of what a question
/// shows withdraws it. Every act runs the derive rules of its type. The act itself is always recorded first.
pub fn decide(rules: &Rules, talk: &Conversation, said: &Utterance) -> Result<Decision, Refusal> {
    let mut decision = Decision { warnings: admit::admit(rules, talk, &said.act)?, ..Decision::default() };
    match &said.act.body {
        Body::Fact(fact) => fact::decide(rules, talk, said, fact, &mut decision),
        Body::Commit(commit) => commit::decide(rules, talk, said, commit, &mut decision),
        Body::Ask(_) | Body::Confirm(_) | Body::Error(_) | Body::Custom(_) => {
            decision.record(said, ActStatus::Recorded);
        }
    }
    derive(rules, talk, said, &mut decision);
    answer::answer(talk, said, &mut decision)?;
    stale::withdraw(talk, &mut decision);
    Ok(decision)
}

impl Decision {
    pub(crate) fn push(&mut self, event: impl Into<Event>) {
        self.events.push(event.into());
    }

    pub(crate) fn record(&mut self, said: &Utterance, result: impl Into<ActResult>) {
        let (act, correlation_id) = (said.act.clone(), said.correlation.clone());
        self.push(ActProcessed { act, result: result.into(), correlation_id });
    }

    /// What became of the act that was decided about; `None` when there was none.
    pub fn ruling(&self) -> Option<Ruling> {
        let mut ruling = None;
        for event in &self.events {
            match (event, &mut ruling) {
                (Event::ActProcessed(processed), None) => {
                    ruling = Some(Ruling { status: processed.result.status, errors: Vec::new() });
                }
                (Event::ValidationError(found), Some(ruling)) => {
                    ruling.errors.extend_from_slice(&found.errors)
                }
                _ => {}
            }
        }
        ruling
    }

    /// What goes to topics, in order.
    pub fn published(&self) -> impl Iterator<Item = &Published> {
        self.events.iter().filter_map(|event| match event {
            Event::Published(published) => Some(published),
            _ => None,
        })
    }

    /// The entities whose fields changed, in the order of the changes.
    pub fn changed_entities(&self) -> impl Iterator<Item = &str> {
        self.events.iter().filter_map(|event| match event {
            Event::StateChanged(changed) => Some(changed.entity_id.as_str()),
            _ => None,
        })
    }
}
