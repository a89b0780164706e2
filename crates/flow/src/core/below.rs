//! What nobody knows below a run: a child says when nobody knows whether a step of its landed, and when that is known, so that
//! whoever began it all is told the same.

use std::sync::Arc;

use serde_json::{Value, json};

use super::machine::Machine;
use super::state::State;

/// Before the path of the step that began a child, in the name of the signal by which it says so. No signal of a user
/// begins so.
const UNKNOWN: &str = "*unknown/";

/// The name of the signal by which a child says what is unknown of it.
pub(crate) fn name_of_unknown(path: &str) -> String {
    format!("{UNKNOWN}{path}")
}

/// The step of a parent that such a signal is about.
pub(crate) fn is_about_unknown(name: &str) -> Option<&str> {
    name.strip_prefix(UNKNOWN)
}

/// What a child says: the step, or that everything is known.
pub(crate) fn told_unknown(step: Option<&Arc<str>>) -> Value {
    json!({ "step": step })
}

/// What a child has said.
pub(crate) fn unknown_told(payload: &[u8]) -> Option<Arc<str>> {
    let payload: Value = serde_json::from_slice(payload).ok()?;
    payload.get("step")?.as_str().map(Into::into)
}

impl State {
    /// The names of the signals by which runs below say what is unknown of them.
    pub(super) fn unknowns_awaited(&self) -> impl Iterator<Item = String> {
        let live = self.leaves().filter(|(_, leaf)| leaf.child.is_some()).map(|(active, _)| &active.path);
        live.chain(self.below.keys()).map(|path| name_of_unknown(path))
    }

    /// The step below of which nobody knows whether it landed.
    pub(super) fn unknown_below(&self) -> Option<&Arc<str>> {
        self.below.values().next()
    }
}

impl Machine<'_> {
    /// The child of a step says which of its own nobody knows of.
    pub(super) fn child_unknown(&mut self, path: &Arc<str>, step: Option<&Arc<str>>) {
        match step {
            Some(step) => self.state.below.insert(path.clone(), format!("{path}/{step}").into()),
            None => self.state.below.remove(path),
        };
    }
}
