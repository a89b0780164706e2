//! Questions of a run: what is asked, and what becomes of it without an answer.

use std::sync::Arc;

use conversation::By;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use xxhash_rust::xxh3::xxh3_128;

use super::Decision;
use super::enter::text;
use super::failure::Failure;
use super::frame::{Activation, Id, Vars};
use super::machine::Machine;
use super::state::State;
use crate::definition::{Body, OnTimeout, Utterance};

/// The most times one step asks. It asks again when what it showed has changed.
const ASKINGS: u32 = 100;

/// Before the name of a question, in the name of a signal that brings its answer. No signal of a user begins so.
const ANSWER: &str = "?";
/// The same, of a signal that says that no answer will come.
const CLOSED: &str = "!";
/// The same with the name of a step, for waits that are older than questions.
const CLOSED_STEP: &str = "!step/";

/// The name of the signal that brings a question's answer.
pub(crate) fn answer(question: &str) -> String {
    format!("{ANSWER}{question}")
}

/// The name of the signal that says that a question was closed without an answer.
pub(crate) fn closed(question: &str) -> String {
    format!("{CLOSED}{question}")
}

/// The same for a wait that is older than questions.
pub(crate) fn closed_step(step: &str) -> String {
    format!("{CLOSED_STEP}{step}")
}

/// What a signal says about a question.
pub(crate) enum About<'a> {
    /// The answer to this one has come.
    Answer(&'a str),
    /// This one was closed.
    Closed(&'a str),
    /// What this step waited for was closed.
    ClosedStep(&'a str),
}

impl<'a> About<'a> {
    /// Reads the name of a signal; `None` of one that is about no question.
    pub(crate) fn of(name: &'a str) -> Option<Self> {
        if let Some(step) = name.strip_prefix(CLOSED_STEP) {
            return Some(Self::ClosedStep(step));
        }
        let answer = name.strip_prefix(ANSWER).map(Self::Answer);
        answer.or_else(|| name.strip_prefix(CLOSED).map(Self::Closed))
    }
}

/// How a question ended without an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuestionEnd {
    /// Its time was over.
    Expired,
    /// The run went another way, or somebody withdrew it.
    Withdrawn,
    /// What it showed has changed.
    Changed,
    /// The conversation has ended.
    Ended,
}

impl State {
    /// How often a step has asked.
    pub(crate) fn askings(&self, path: &str) -> u32 {
        self.asked.get(path).copied().unwrap_or_default()
    }

    /// Whether the run has ever asked anything.
    pub(crate) fn has_asked(&self) -> bool {
        !self.asked.is_empty()
    }

    /// The name of the question that a step asks next: the same whenever this asking is written.
    pub(crate) fn next_question(&self, path: &str) -> String {
        let asking = if store::mutant("one-question") { 0 } else { self.askings(path) };
        let numbers = format!("{}.{asking}", self.generation(path));
        let mut parts = Vec::new();
        for part in [&*self.start.run, path, &numbers] {
            parts.extend_from_slice(&(part.len() as u64).to_be_bytes());
            parts.extend_from_slice(part.as_bytes());
        }
        format!("q_{:032x}", xxh3_128(&parts))
    }

    /// The step that has asked this question and waits.
    pub(crate) fn asks(&self, question: &str) -> Option<Arc<str>> {
        let mut leaves = self.leaves();
        let found = leaves.find(|(_, leaf)| leaf.question.as_deref() == Some(question));
        found.map(|(active, _)| active.path.clone())
    }

    /// The speaker of the commit that the run is for.
    pub(crate) fn committer(&self) -> Option<&str> {
        self.start.committer()
    }
}

impl Machine<'_> {
    pub(super) fn question_asked(&mut self, path: &Arc<str>, question: &Arc<str>, on: &Value) {
        self.waiting(path, on, 0);
        self.with_leaf(path, |leaf| leaf.question = Some(question.clone()));
    }

    /// The question was closed in its conversation without an answer.
    pub(super) fn question_closed(
        &mut self,
        path: &Arc<str>,
        how: QuestionEnd,
        by: Option<&str>,
        why: Option<&str>,
    ) {
        let Some(id) = self.state.leaves.get(path).copied() else { return };
        self.with_leaf(path, |leaf| (leaf.question, leaf.on) = (None, None));
        self.out.push(Decision::Clear { path: path.clone() });
        let said = match how {
            QuestionEnd::Changed if self.state.askings(path) < ASKINGS => return self.decide(id),
            QuestionEnd::Changed => {
                let said =
                    format!("what the question shows has changed {ASKINGS} times before it was answered");
                Failure::new(path, "flow.question_changed", said)
            }
            QuestionEnd::Ended => {
                let said = "the conversation has ended, so nobody will answer";
                Failure::new(path, "flow.conversation_over", said)
            }
            QuestionEnd::Expired => Failure::new(path, "flow.timeout", "no answer came in time"),
            QuestionEnd::Withdrawn => {
                let said = format!(
                    "withdrawn by {}: {}",
                    by.unwrap_or("somebody"),
                    why.unwrap_or("no reason given")
                );
                Failure::new(path, "flow.question_withdrawn", said)
            }
        };
        self.fail_leaf(id, said);
    }

    /// A leaf waits for its answer no more: the conversation is told, unless it said so itself.
    pub(super) fn withdraw(&mut self, id: Id, how: QuestionEnd) {
        let Some(active) = self.state.active.get_mut(&id) else { return };
        let asks =
            matches!(active.task.as_deref().map(|task| &task.body), Some(Body::Ask(_) | Body::Confirm(_)));
        let path = active.path.clone();
        let Some(leaf) = active.leaf_mut() else { return };
        let (question, on) = (leaf.question.take(), leaf.on.take());
        if asks && on.is_some() {
            self.out.push(Decision::Withdraw { path, question, how });
        }
    }

    /// The time of a question is over. `true` when that counts as a yes.
    pub(super) fn question_expired(&mut self, id: Id) -> bool {
        let Some(active) = self.state.active.get(&id) else { return false };
        let path = active.path.clone();
        let Some(Body::Confirm(said)) = active.task.as_deref().map(|task| &task.body) else {
            self.withdraw(id, QuestionEnd::Expired);
            return false;
        };
        let agreed = said.on_timeout == OnTimeout::Confirm;
        let (question, on) = match active.leaf() {
            Some(leaf) => (leaf.question.clone(), leaf.on.clone().unwrap_or_default()),
            None => (None, Value::Null),
        };
        self.withdraw(id, QuestionEnd::Expired);
        if agreed {
            self.out.push(Decision::Agree { path, act: agreement(&on, question.as_deref()) });
        }
        agreed
    }

    /// The answer has come; the conversation knows.
    pub(super) fn question_answered(&mut self, id: Id) {
        if let Some(leaf) = self.state.active.get_mut(&id).and_then(Activation::leaf_mut)
            && leaf.question.is_some()
        {
            (leaf.question, leaf.on) = (None, None);
        }
    }

    /// Whom the flow names for the answer.
    pub(super) fn by(&self, said: &Utterance, vars: &Vars) -> Result<By, Failed> {
        let Some(by) = &said.by else { return Ok(By::default()) };
        let named = by.eval(&self.state.scope(vars)).map_err(Failed::Unsound)?;
        let names = |key: &str| match named.get(key) {
            None => Ok(Vec::new()),
            Some(Value::Array(items)) if !items.is_empty() => {
                items.iter().map(|item| name(key, item)).collect()
            }
            Some(one) => Ok(vec![name(key, one)?]),
        };
        Ok(By {
            role: names("role")?,
            permission: names("permission")?,
            participant: names("participant")?,
            not_committer: named.get("not").is_some(),
        })
    }
}

/// Why a question cannot be asked.
pub(super) enum Failed {
    Unsound(expr::Error),
    /// Nobody could answer.
    Nobody(String),
}

fn name(key: &str, value: &Value) -> Result<String, Failed> {
    match value {
        Value::String(name) if !name.is_empty() => Ok(name.clone()),
        other => {
            Err(Failed::Nobody(format!("`by.{key}` names nobody: expected text, found {}", text(other))))
        }
    }
}

/// The act that says in the conversation that silence was taken for a yes.
fn agreement(on: &Value, question: Option<&str>) -> Value {
    json!({
        "type": "confirm", "entity": on.get("entity"), "summary": on.get("summary"), "awaiting": false,
        "confirmed": true, "confirmation_method": "timeout", "metadata": { "cardan": { "question": question } },
    })
}
