//! Acts that are handed in together, and what became of them.

use std::sync::Arc;

use act::{Accepted, Act, Issue};
use react::Ruling;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use store::KeyOp;

use crate::{Error, Request};

/// Acts for one conversation that are handed in together.
pub struct Submission<'a> {
    /// Who says them.
    pub request: Request<'a>,
    /// To which conversation; one that does not exist yet begins with the first speaker as its participant.
    pub conversation: &'a str,
    /// The acts, in order; at most as many as fit one batch.
    pub acts: Vec<Accepted<Act>>,
    /// Whether one refusal refuses them all.
    pub all_or_nothing: bool,
    /// The question that they answer, when they are said for nothing else.
    pub answering: Option<Answering<'a>>,
}

/// A question that is answered: unless it is open when the act is decided, the act is refused.
pub struct Answering<'a> {
    /// The question.
    pub question: &'a str,
    /// What is recorded in the commit of the answer.
    pub done: Option<KeyOp>,
}

/// What became of the acts.
#[derive(Debug)]
pub struct Answer {
    /// One for each act, in order.
    pub verdicts: Vec<Verdict>,
    /// What runs wait to hear next.
    pub next_actions: Vec<Value>,
}

/// What became of one act.
pub type Verdict = Result<Taken, Error>;

/// An act that is durable, and what it set in motion.
#[derive(Clone, Debug)]
pub struct Taken {
    /// The act, as JSON.
    pub act: Arc<RawValue>,
    /// A position at or beyond it.
    pub position: u64,
    /// What became of it. `None` of an act that was taken before this was kept.
    pub result: Option<Ruling>,
    /// The runs it started.
    pub runs: Vec<Started>,
    /// Whether it had been taken before.
    pub replayed: bool,
    /// What is odd about it.
    pub warnings: Vec<Issue>,
}

/// A run that an act started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Started {
    /// The run.
    pub run: String,
    /// The system the commit named; `default` when it named none.
    pub system: String,
}
