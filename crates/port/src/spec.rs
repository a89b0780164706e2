//! What an external system can do, said as data.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

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
}

impl Spec {
    /// Looks an operation up.
    pub fn operation(&self, name: &str) -> Option<&Operation> {
        self.operations.binary_search_by(|known| (*known.name).cmp(name)).ok().map(|at| &self.operations[at])
    }
}

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
    /// JSON Schema 2020-12 of its input; `true` accepts anything.
    pub input: Value,
    /// JSON Schema 2020-12 of its output; `true` accepts anything.
    pub output: Value,
}
