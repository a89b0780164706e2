//! What an external system can do, said as data.

use std::sync::Arc;
use std::time::Duration;

use schema::Schema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Cost;

/// How safe it is to send an operation again when nobody knows whether it landed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Repeat {
    /// Repeating changes nothing (reads, PUT, DELETE by id).
    Safe,
    /// Repeating under the same idempotency key changes nothing.
    Keyed,
    /// Repeating may act twice.
    Never,
}

/// A system's description.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// The configured system's name, as flows call it.
    pub system: Arc<str>,
    /// The kind of adapter (`rest`).
    pub adapter: &'static str,
    /// The adapter's own version.
    pub version: &'static str,
    /// What it can do, sorted by name.
    pub operations: Vec<Operation>,
    /// How often it is to be asked whether it is well ([`crate::Adapter::probe`]); `None` is never.
    pub probe_every: Option<Duration>,
}

impl Spec {
    /// Looks an operation up.
    pub fn operation(&self, name: &str) -> Option<&Operation> {
        self.operations.binary_search_by(|known| (*known.name).cmp(name)).ok().map(|at| &self.operations[at])
    }
}

/// The default of [`Operation::settles_within`].
pub const SETTLES_WITHIN: Duration = Duration::from_secs(5);
/// The default of [`Operation::in_progress_until`].
pub const IN_PROGRESS_UNTIL: Duration = Duration::from_secs(600);

/// One operation of a system.
#[derive(Clone, Debug, PartialEq)]
pub struct Operation {
    /// Its name.
    pub name: Arc<str>,
    /// What one sentence says it does; empty when nobody said.
    pub summary: String,
    /// How safe a repeat is.
    pub repeat: Repeat,
    /// The operation of the same system that undoes it.
    pub undo: Option<Arc<str>>,
    /// How to find out whether it landed, as it may be written at a step (`call`, `with`, `found`, …).
    pub verify: Option<Value>,
    /// How long after the end of a call whose outcome is unknown its effect may still appear.
    pub settles_within: Duration,
    /// How long the system may say that it is still at an earlier request with the same key.
    pub in_progress_until: Duration,
    /// What its input must be like.
    pub input: Schema,
    /// What its output must be like.
    pub output: Schema,
    /// Whether it may also answer with nothing (`null`), whatever `output` says.
    pub may_be_silent: bool,
    /// Where the input names the model or endpoint that a call is for, as a JSON pointer: what guards keep `per: model`.
    pub partition: Option<Arc<str>>,
    /// What a call takes of a rate limit.
    pub cost: Cost,
    /// How the system knows a repeat, in any words: when they change, what was sent before is known under another name. Empty
    /// when that cannot change.
    pub keyed_as: Arc<str>,
}

impl Operation {
    /// An operation that takes and answers anything, and that nothing undoes.
    pub fn new(name: impl Into<Arc<str>>, repeat: Repeat) -> Self {
        Self {
            name: name.into(),
            summary: String::new(),
            repeat,
            undo: None,
            verify: None,
            settles_within: SETTLES_WITHIN,
            in_progress_until: IN_PROGRESS_UNTIL,
            input: Schema::any(),
            output: Schema::any(),
            may_be_silent: false,
            partition: None,
            cost: Cost::One,
            keyed_as: "".into(),
        }
    }
}
