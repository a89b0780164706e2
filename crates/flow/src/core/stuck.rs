//! Steps that wait for a person, and which of them a decision sets going.

use std::sync::Arc;

use super::frame::At;
use super::member::step_of;
use super::record::Undo;
use super::state::State;
use super::told::Told;

impl State {
    /// The steps that cannot go on by themselves.
    pub(crate) fn stuck_steps(&self) -> Vec<Arc<str>> {
        let stuck = self.leaves().filter(|(_, leaf)| matches!(leaf.at, At::Stuck));
        stuck.map(|(active, _)| active.path.clone()).collect()
    }

    /// Whether a step can be replayed: it is stuck, or it is an undoing that an ended run had to leave.
    pub(crate) fn is_stuck(&self, path: &str) -> bool {
        let parked = || self.done.iter().any(|done| done.undo == Undo::Parked && undoes(path, &done.path));
        match self.leaf(path) {
            Some(leaf) => matches!(leaf.at, At::Stuck),
            None => self.ended.is_some() && parked(),
        }
    }

    /// Whether a person may say what became of a step, or of its undoing: nobody knows it.
    pub(crate) fn may_settle(&self, path: &str) -> bool {
        let step = step_of(path);
        let left = |undo| undo == Undo::Parked || (undo == Undo::InDoubt && !path.ends_with("/undo"));
        let left = self.done.iter().any(|done| *done.path == *step && left(done.undo));
        match self.leaf(path) {
            Some(leaf) if leaf.undoes.is_some() => !matches!(leaf.at, At::Flying),
            Some(leaf) => leaf.perhaps && !leaf.intent && !matches!(leaf.at, At::Flying),
            None => (self.ended.is_some() && left) || self.told(path).is_some_and(Told::is_unknown),
        }
    }

    /// The steps that are begun again with a stuck one: when its run stopped because of it, all that are stuck.
    pub(crate) fn freed_with(&self, path: &str) -> Vec<Arc<str>> {
        let waits_for_it = self.paused.as_ref().is_some_and(|paused| paused.step.as_deref() == Some(path));
        if waits_for_it { self.stuck_steps() } else { Vec::new() }
    }

    /// What a restart from a step does again or leaves as it is, and that may have died: steps that failed, and tells.
    pub(crate) fn given_up_since(&self, path: &str) -> Vec<Arc<str>> {
        let from = self.index.get(path).copied().unwrap_or_default();
        let since = self.records.iter().skip(from);
        let given_up = since.filter(|record| record.error.is_some() || record.task.verb == "tell");
        given_up.map(|record| record.path.clone()).collect()
    }

    /// Since when a guard keeps a step's call in, over all its rounds, and which; `None` when no guard does.
    pub(crate) fn held_since(&self, path: &str) -> Option<(jiff::Timestamp, port::Rejection)> {
        Some((self.record(path)?.started, self.leaf(path)?.guard?))
    }

    /// Whether a step waits for a run that it began.
    pub(crate) fn has_child(&self) -> bool {
        self.leaves().any(|(_, leaf)| leaf.child.is_some())
    }
}

fn undoes(path: &str, step: &str) -> bool {
    path.strip_suffix("/undo") == Some(step)
}
