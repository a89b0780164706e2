//! Leaves: tasks that wait for the world, and what its answers mean for them.

use std::sync::Arc;

use jiff::Timestamp;
use port::{Landed, Rejection};
use serde_json::Value;

use super::Decision;
use super::failure::Failure;
use super::frame::{Activation, At, Id, Leaf, Slot};
use super::machine::{Machine, Work};
use super::record::{RecordStatus, Undo};
use crate::definition::{Body, OnExhausted, OnTimeout};

impl Machine<'_> {
    /// A leaf has been entered: a restart may know its output already.
    pub(super) fn first(&mut self, id: Id) {
        let Some(active) = self.state.active.get(&id) else { return };
        match self.state.kept.remove(&active.path) {
            Some(output) => self.finish_leaf(id, &output),
            None => self.decide(id),
        }
    }

    /// Asks for what the leaf needs next, or holds it while the run is paused.
    pub(super) fn decide(&mut self, id: Id) {
        let held = self.state.paused.is_some();
        let Some(active) = self.state.active.get_mut(&id) else { return };
        let Some(leaf) = active.leaf_mut() else { return };
        leaf.at = if held { At::Held } else { At::Flying };
        let (path, task) = (active.path.clone(), active.task.clone());
        self.with_record(&path, |record| {
            record.status = if held { RecordStatus::Blocked } else { RecordStatus::Running };
        });
        let Some(task) = task else { return };
        if !held {
            self.ask_world(id, &path, &task);
        }
    }

    pub(super) fn with_leaf(&mut self, path: &str, change: impl FnOnce(&mut Leaf)) {
        let id = self.state.leaves.get(path);
        if let Some(leaf) = id.and_then(|id| self.state.active.get_mut(id)).and_then(Activation::leaf_mut) {
            change(leaf);
        }
    }

    pub(super) fn blocked(&mut self, path: &Arc<str>, until: Timestamp, guard: Option<Rejection>) {
        self.with_leaf(path, |leaf| {
            leaf.at = At::Until(until);
            leaf.guard = guard;
            leaf.intent = false;
            leaf.waited = true;
        });
        self.with_record(path, |record| record.status = RecordStatus::Blocked);
        self.out.push(Decision::Again { path: path.clone(), until });
    }

    pub(super) fn retried(&mut self, path: &Arc<str>, error: &Failure, until: Timestamp) {
        self.with_leaf(path, |leaf| leaf.rounds += 1);
        if error.landed != Landed::No {
            self.doubt(path);
        }
        self.blame(path, error);
        match self.is_orphan(path) {
            true => self.out.push(Decision::Settle { path: path.clone() }),
            false => self.blocked(path, until, None),
        }
    }

    pub(super) fn blame(&mut self, path: &Arc<str>, error: &Failure) {
        let now = self.state.now;
        self.with_record(path, |record| {
            record.attempts += error.attempts;
            record.history.push((now, error.clone()));
            record.error = Some(error.clone());
        });
    }

    pub(super) fn succeeded(&mut self, path: &Arc<str>, output: &Arc<Value>, attempts: u32, ms: u64) {
        let Some(id) = self.state.leaves.get(path).copied() else { return };
        self.with_record(path, |record| {
            record.attempts += attempts;
            record.ms = Some(ms);
            record.error = None;
        });
        self.finish_leaf(id, output);
    }

    /// A leaf has its output.
    pub(super) fn finish_leaf(&mut self, id: Id, output: &Arc<Value>) {
        let Some(active) = self.state.active.get(&id) else { return };
        let path = active.path.clone();
        let acts =
            matches!(active.task.as_deref().map(|task| &task.body), Some(Body::Call(_) | Body::Tell(_)));
        let begins = matches!(active.task.as_deref().map(|task| &task.body), Some(Body::Run { .. }));
        if acts || (begins && self.state.start.language > 0) {
            self.remember(id, output, true);
        }
        let now = self.state.now;
        self.with_record(&path, |record| {
            record.status = RecordStatus::Succeeded;
            record.ended = Some(now);
            record.error = None;
            record.output = Some(output.clone());
        });
        self.agenda.push_back(Work::Leave { id, output: output.clone() });
    }

    pub(super) fn failed(&mut self, path: &Arc<str>, error: &Failure, ms: u64) {
        let Some(id) = self.state.leaves.get(path).copied() else { return };
        self.blame(path, error);
        self.with_record(path, |record| record.ms = Some(ms));
        // It is said so only when that holds for every send. 0.1.0 said it of the last one.
        if error.landed == Landed::No && self.state.start.scheme > 0 {
            self.with_leaf(path, |leaf| leaf.perhaps = false);
        }
        self.fail_leaf(id, error.clone());
    }

    pub(super) fn fail_leaf(&mut self, id: Id, error: Failure) {
        let Some(active) = self.state.active.get(&id) else { return };
        let (path, now) = (active.path.clone(), self.state.now);
        let orphan = active.slot == Slot::Orphan;
        if error.landed != Landed::No {
            self.doubt(&path);
        }
        let Some(active) = self.state.active.get(&id) else { return };
        let perhaps = active.leaf().is_some_and(|leaf| leaf.perhaps);
        if orphan && (error.landed != Landed::No || perhaps) {
            self.remember(id, &Arc::new(Value::Null), false);
        }
        self.with_record(&path, |record| {
            record.status =
                if error.landed == Landed::Unknown { RecordStatus::Unknown } else { RecordStatus::Failed };
            record.ended = Some(now);
            record.error = Some(error.clone());
        });
        self.agenda.push_back(Work::Raise { id, error });
    }

    /// A step cannot go on by itself.
    pub(super) fn stuck(
        &mut self,
        path: &Arc<str>,
        error: &Failure,
        why: &'static str,
        status: RecordStatus,
    ) {
        let Some(id) = self.state.leaves.get(path).copied() else { return };
        self.blame(path, error);
        let Some(active) = self.state.active.get(&id) else { return };
        let Some(task) = active.task.clone() else { return };
        if active.slot == Slot::Orphan {
            return self.fail_leaf(id, error.clone());
        }
        if error.landed != Landed::No {
            self.doubt(path);
        }
        match self.policy(&task) {
            OnExhausted::Compensate => self.fail_leaf(id, error.clone()),
            OnExhausted::Fail => self.give_up(id, error),
            OnExhausted::Pause => {
                self.with_leaf(path, |leaf| {
                    leaf.at = At::Stuck;
                    leaf.intent = false;
                });
                self.with_record(path, |record| record.status = status);
                self.pause(why, Some(path.clone()));
            }
        }
    }

    /// Ends the run as failed; what was done stays done.
    fn give_up(&mut self, id: Id, error: &Failure) {
        let Some(active) = self.state.active.get(&id) else { return };
        let path = active.path.clone();
        self.with_record(&path, |record| record.status = RecordStatus::Failed);
        if error.landed != Landed::No {
            self.remember(id, &Arc::new(Value::Null), false);
        }
        self.remove(id);
        self.drain(super::frame::ROOT, error.clone(), super::frame::Undoing::Nothing);
    }

    /// What a look-up or a recall found.
    pub(super) fn found(&mut self, path: &Arc<str>, output: Option<&Arc<Value>>) {
        let Some(id) = self.state.leaves.get(path).copied() else { return };
        if self.state.verifies(path) {
            self.note_look(path, Some(output.is_some()), output);
        }
        let Some(leaf) = self.state.active.get_mut(&id).and_then(Activation::leaf_mut) else { return };
        leaf.probing = false;
        match (leaf.undoes, output) {
            (Some(at), Some(output)) => {
                leaf.rounds = 0;
                self.state.done[at].output = output.clone();
                self.state.done[at].known = true;
                self.decide(id);
            }
            (Some(_), None) => self.close_undo(path, Undo::Nothing, |record, now| {
                record.status = RecordStatus::Skipped;
                record.ended = Some(now);
            }),
            (None, Some(output)) => self.finish_leaf(id, output),
            (None, None) => {
                // Sent again; how often is counted.
                leaf.rounds += 1;
                (leaf.perhaps, leaf.settles, leaf.refusal) = (false, None, None);
                leaf.resent = true;
                (leaf.looks, leaf.looking) = (0, None);
                self.forget_member(path);
                self.with_record(path, |record| record.member = None);
                self.decide(id);
            }
        }
    }

    /// The step was waiting to be tried again when the run went another way.
    pub(super) fn dropped(&mut self, path: &Arc<str>) {
        let Some(id) = self.state.leaves.get(path).copied() else { return };
        let Some(leaf) = self.state.active.get(&id).and_then(Activation::leaf) else { return };
        let doubtful = leaf.perhaps || leaf.intent || self.may_be_out(leaf);
        if doubtful {
            self.remember(id, &Arc::new(Value::Null), false);
        }
        let status = self.stopped_as(path, doubtful);
        self.with_record(path, |record| record.status = status);
        if let Some(gone) = self.remove(id) {
            self.child_done(gone.parent, gone.slot, None, &Arc::new(Value::Null));
        }
    }

    pub(super) fn waiting(&mut self, path: &Arc<str>, on: &Value, after: u64) {
        if self.state.task(path).is_some_and(|task| matches!(task.body, Body::Ask(_) | Body::Confirm(_))) {
            *self.state.asked.entry(path.clone()).or_default() += 1;
        }
        self.with_leaf(path, |leaf| {
            leaf.at = At::Waiting;
            leaf.on = Some(on.clone());
            leaf.after = after;
        });
        self.with_record(path, |record| record.status = RecordStatus::Waiting);
    }

    /// An answer has come: a fact's value, a confirmation, an event, or a child run's end.
    pub(super) fn answered(&mut self, path: &Arc<str>, payload: &Value) {
        if self.state.undoes_a_child(path) {
            return self.child_undone(path, payload);
        }
        let Some(id) = self.state.leaves.get(path).copied() else { return };
        self.child_left_something(id, payload);
        let Some(active) = self.state.active.get(&id) else { return };
        let refused = match active.task.as_deref().map(|task| &task.body) {
            Some(Body::Confirm(said))
                if said.on_timeout != OnTimeout::Continue
                    && payload.get("confirmed") == Some(&Value::Bool(false)) =>
            {
                let why = payload.get("reason").and_then(Value::as_str).unwrap_or("no reason given");
                Some(Failure::new(path, "flow.rejected", format!("not confirmed: {why}")))
            }
            Some(Body::Run { .. }) => payload.get("error").and_then(|error| {
                let error: Option<Failure> = serde_json::from_value(error.clone()).ok();
                error.map(|error| Failure { step: format!("{path}/{}", error.step).into(), ..error })
            }),
            _ => None,
        };
        self.question_answered(id);
        let Some(active) = self.state.active.get(&id) else { return };
        self.out.push(Decision::Clear { path: path.clone() });
        let output = match active.task.as_deref().map(|task| &task.body) {
            Some(Body::Run { .. }) => payload.get("result").cloned().unwrap_or(Value::Null),
            _ => payload.clone(),
        };
        match refused {
            Some(error) => self.fail_leaf(id, error),
            None => self.finish_leaf(id, &Arc::new(output)),
        }
    }
}
