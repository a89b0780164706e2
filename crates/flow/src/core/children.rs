//! Runs that a run began take part in its undoing: a child that has succeeded undoes what it did, as an undo of an ended run,
//! while its parent waits for it at its place in the reverse order.
//!
//! A child tells its parent each of its ends. The first answers the step that began it; a later one, after it was undone,
//! is about that step's undo, whether the parent has asked for it or not.

use std::sync::Arc;

use serde_json::Value;
use store::RunStatus;

use super::Decision;
use super::failure::Failure;
use super::frame::{At, Id, Leaf};
use super::machine::Machine;
use super::member::step_of;
use super::record::{Done, RecordStatus, Undo};
use super::state::State;
use crate::definition::Body;

impl State {
    /// Whether it is a child that tells its end under this path, after it was undone.
    pub(super) fn undoes_a_child(&self, path: &str) -> bool {
        let step = path.strip_suffix("/undo");
        self.done.iter().any(|done| step == Some(&*done.path) && done.child.is_some())
    }

    /// The names under which children tell that what they could not undo is undone at last.
    pub(super) fn parked_children(&self) -> impl Iterator<Item = String> {
        let parked = self.done.iter().filter(|done| done.undo == Undo::Parked && done.child.is_some());
        parked.map(|done| format!("{}/undo", done.path))
    }

    /// Whether the run that a step began left something that it could not undo.
    pub(super) fn left_by_a_child(&self, path: &str) -> bool {
        self.done.iter().any(|done| *done.path == *path && done.child.is_some() && done.undo == Undo::Parked)
    }

    /// The runs that its steps wait for.
    pub(crate) fn runs_below(&self) -> Vec<String> {
        let waited = |leaf: &Leaf| leaf.child.clone().or_else(|| self.child_undone_by(leaf).cloned());
        self.leaves().filter_map(|(_, leaf)| waited(leaf)).collect()
    }

    /// The run that an active step has begun.
    pub(crate) fn child(&self, path: &str) -> Option<&String> {
        self.leaf(path)?.child.as_ref()
    }

    /// What the child of a step has given that did it before a restart, and is not undone.
    pub(crate) fn child_stands(&self, path: &str) -> Option<Arc<Value>> {
        let stands = |done: &&Done| *done.path == *path && done.undo == Undo::Pending && done.known;
        let done = self.done.iter().rev().find(stands)?;
        done.child.as_ref().map(|_| done.output.clone())
    }

    /// Whether a child is being undone.
    pub(crate) fn undoes_child(&self) -> bool {
        self.leaves().any(|(_, leaf)| self.child_undone_by(leaf).is_some() && leaf.on.is_some())
    }

    fn child_undone_by(&self, leaf: &Leaf) -> Option<&String> {
        let done = self.done.get(leaf.undoes?)?;
        done.child.as_ref().filter(|_| done.task.compensate.is_none())
    }
}

impl Machine<'_> {
    /// Asks a child to undo what it did.
    pub(super) fn ask_child(&mut self, path: &Arc<str>, at: usize) {
        let Some(run) = self.state.done.get(at).and_then(|done| done.child.clone()) else { return };
        self.out.push(Decision::UndoChild { path: path.clone(), run });
    }

    /// Whoever has just read the state back asks again; a child that is at it, or has done it, is not moved by that.
    pub(super) fn ask_child_again(&mut self, id: Id) {
        let Some(active) = self.state.active.get(&id) else { return };
        let Some(leaf) = active.leaf().filter(|leaf| matches!(leaf.at, At::Waiting)) else { return };
        let Some(run) = self.state.child_undone_by(leaf).cloned() else { return };
        self.out.push(Decision::AskChild { run });
    }

    /// A child has told how its undoing ended; also when it was undone for itself. One that has succeeded is not undone.
    pub(super) fn child_undone(&mut self, path: &Arc<str>, payload: &Value) {
        if is(payload, RunStatus::Succeeded) {
            return self.child_succeeded(path);
        }
        let error = parked(payload);
        match (self.state.leaves.contains_key(path), error) {
            (true, Some(error)) => self.parked(path, &error),
            (true, None) => self.compensated(path, 0, 0),
            (false, error) => self.undone_for_itself(path, error),
        }
    }

    /// What a child had left to a person is settled, or it was done again: what it did stands, and is undone with the rest.
    fn child_succeeded(&mut self, path: &Arc<str>) {
        let step = step_of(path);
        let find = |undo| self.state.done.iter().position(|done| *done.path == *step && done.undo == undo);
        let (known, parked) = (find(Undo::Pending).is_some(), find(Undo::Parked));
        // A step that has gone on with what its child gave is remembered for that as well.
        if let Some(at) = parked.filter(|_| known) {
            self.state.done[at].undo = Undo::Nothing;
        }
        if let Some(at) = self.state.leaf(path).and_then(|leaf| leaf.undoes) {
            return self.ask_child(path, at);
        }
        let fails = self.state.ended.as_ref().is_some_and(|ended| ended.error.is_some());
        match parked.filter(|_| !known) {
            Some(_) if fails => return self.undo_again(path, None),
            Some(at) => self.state.done[at].undo = Undo::Pending,
            None => {}
        }
        self.unparked();
    }

    fn undone_for_itself(&mut self, path: &Arc<str>, error: Option<Failure>) {
        let step = step_of(path);
        let open =
            |done: &&mut Done| *done.path == *step && matches!(done.undo, Undo::Pending | Undo::Parked);
        let Some(done) = self.state.done.iter_mut().find(open) else { return };
        done.undo = if error.is_some() { Undo::Parked } else { Undo::Compensated };
        let (step, status) = (done.path.clone(), RecordStatus::Compensated);
        if error.is_none() {
            *self.state.undone.entry(step.clone()).or_default() += 1;
            self.with_record(path, |record| (record.status, record.error) = (status, None));
            self.with_record(&step, |record| record.status = status);
        }
        self.unparked();
    }

    /// A run that only a child kept parked has ended.
    fn unparked(&mut self) {
        let parked = self.state.ended.take_if(|ended| ended.status == RunStatus::Parked);
        match parked {
            Some(ended) if !self.state.has_parked() => self.over(ended.error),
            parked => self.state.ended = self.state.ended.take().or(parked),
        }
    }

    /// A child that could not undo everything keeps its parent parked, too.
    pub(super) fn child_left_something(&mut self, id: Id, payload: &Value) {
        if self.state.start.language == 0 || parked(payload).is_none() {
            return;
        }
        self.remember(id, &Arc::new(Value::Null), true);
        if let Some(done) = self.state.done.last_mut() {
            done.undo = Undo::Parked;
        }
    }

    /// Whether a finished step is a child run whose undoing is left to it.
    pub(super) fn undoes_itself(&self, done: &Done) -> bool {
        matches!(done.task.body, Body::Run { .. }) && done.child.is_some() && !done.task.kept
    }
}

/// Whether a child says that it has ended so.
fn is(payload: &Value, status: RunStatus) -> bool {
    payload.get("status").and_then(Value::as_str) == Some(status.as_str())
}

/// Why a child could not be undone, when it says that.
fn parked(payload: &Value) -> Option<Failure> {
    let error = payload.get("error").filter(|_| is(payload, RunStatus::Parked))?;
    let error: Option<Failure> = serde_json::from_value(error.clone()).ok();
    let said = "the run that it began could not undo everything: see there";
    Some(error.unwrap_or_else(|| Failure::new(&"".into(), "flow.child_parked", said)))
}
