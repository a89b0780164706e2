//! Our own faults are not a system's "no": what the configuration lacks blocks a step until it is there again, and what
//! cannot be made of the data at hand waits for a person once something has been done.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Decision;
use super::enter::Place;
use super::failure::Failure;
use super::frame::{Activation, At, Frame, Id, Leaf, ROOT, Scope, Slot, Stage};
use super::machine::{Machine, Work};
use super::record::RecordStatus;
use super::state::State;
use crate::definition::{Body, OnFault, Task};

/// Why a step is held that nobody has refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Held {
    /// The configuration lacks what it needs.
    Blocked,
    /// An expression has no value for the data at hand.
    Expression,
    /// The input is none that the operation takes.
    Input,
}

impl Held {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Blocked => "blocked",
            Self::Expression => "expression",
            Self::Input => "input",
        }
    }

    fn of(error: &Failure) -> Option<Self> {
        match error.code.as_str() {
            "flow.expression" | "flow.key" | "flow.wait" => Some(Self::Expression),
            "flow.input" => Some(Self::Input),
            _ => None,
        }
    }
}

impl State {
    /// The flow that an active step would begin a run of.
    pub(crate) fn begins(&self, path: &str) -> Option<&str> {
        match &self.task(path)?.body {
            Body::Run { flow, .. } if !path.ends_with("/undo") => Some(flow),
            _ => None,
        }
    }
}

impl Machine<'_> {
    /// A step is held. One that is blocked goes on by itself; for the others the run is paused.
    pub(super) fn held(&mut self, path: &Arc<str>, reason: Held, missing: Option<&str>, error: &Failure) {
        let blocked = reason == Held::Blocked;
        self.with_leaf(path, |leaf| {
            leaf.at = if blocked { At::Blocked } else { At::Stuck };
            leaf.guard = None;
            leaf.on = missing.map(|missing| json!({ "missing": missing }));
        });
        self.with_record(path, |record| {
            record.status = if blocked { RecordStatus::Blocked } else { RecordStatus::Failed };
            record.error = Some(error.clone());
        });
        if !blocked {
            self.pause(reason.as_str(), Some(path.clone()));
        }
    }

    /// Looks again whether a blocked step can go on: a call that may have been out before is judged as after a crash.
    pub(super) fn unblock(&mut self, id: Id) {
        if self.state.paused.is_some() {
            return;
        }
        let Some(leaf) = self.state.active.get_mut(&id).and_then(Activation::leaf_mut) else { return };
        leaf.on = None;
        match leaf.intent && !leaf.probing {
            true => {
                leaf.at = At::Flying;
                self.recover(id);
            }
            false => self.decide(id),
        }
    }

    /// Whether the call of a leaf that may be out is to an operation that the configuration no longer has: what became of
    /// it cannot be judged before it is there again.
    pub(super) fn is_gone(&self, id: Id) -> Option<String> {
        let call = self.call_out(id).filter(|call| !call.known)?;
        Some(format!("{}.{}", call.system, call.operation))
    }

    pub(super) fn hold_gone(&mut self, path: &Arc<str>, missing: String) {
        let error = blocked(path, &missing);
        self.out.push(Decision::Hold {
            path: path.clone(),
            reason: Held::Blocked,
            missing: Some(missing),
            error,
        });
    }

    /// Whether an error that nothing catches waits for a person instead of undoing the run: it is our own fault, and
    /// something was done.
    pub(super) fn is_for_a_person(&self, error: &Failure) -> Option<Held> {
        let held = Held::of(error)?;
        let root = self.state.active.get(&ROOT).map(|root| &root.frame);
        let goes = matches!(root, Some(Frame::Scope(Scope { stage: Stage::Body, .. })));
        let waits = self.has_acted(&error.step) && goes && self.definition.on_fault == OnFault::Pause;
        let waits = waits && !store::mutant("fault-undoes");
        (waits && self.state.cancelling.is_none()).then_some(held)
    }

    /// Whether something was done, or may have been, beside what a step was refused before it was sent.
    fn has_acted(&self, step: &str) -> bool {
        let out = |(active, leaf): (&Activation, &Leaf)| {
            leaf.perhaps || (leaf.intent && leaf.undoes.is_none() && *active.path != *step)
        };
        self.state.acted || self.state.leaves().any(out)
    }

    /// A task cannot be entered because of our own fault: raised, or set aside for a person.
    pub(super) fn faulty(&mut self, task: &Arc<Task>, place: &Place<'_>, error: Failure) {
        let now = self.state.now;
        self.with_record(&place.path, |record| {
            record.status = RecordStatus::Failed;
            record.ended = Some(now);
            record.error = Some(error.clone());
        });
        match self.is_for_a_person(&error).filter(|_| self.is_uncaught(place.parent, &error)) {
            None => self.agenda.push_back(Work::Raise { id: place.parent, error }),
            Some(reason) => {
                let leaf = Leaf { whole: true, at: At::Flying, ..Leaf::default() };
                self.place(task, place, Frame::Leaf(Box::new(leaf)));
                self.aside(&place.path, reason, error);
            }
        }
    }

    /// The run's result cannot be made: everything is done, and nothing is undone for it.
    pub(super) fn no_result(&mut self, error: Failure) {
        let Some(reason) = self.is_for_a_person(&error) else {
            return self.agenda.push_back(Work::Raise { id: ROOT, error });
        };
        let leaf = Frame::Leaf(Box::new(Leaf { whole: true, at: At::Flying, ..Leaf::default() }));
        let path = error.step.clone();
        self.activate(ROOT, Slot::Body, None, path.clone(), "".into(), super::frame::Vars::default(), leaf);
        self.aside(&path, reason, error);
    }

    pub(super) fn aside(&mut self, path: &Arc<str>, reason: Held, error: Failure) {
        self.out.push(Decision::Hold { path: path.clone(), reason, missing: None, error });
    }

    /// Enters a task again that could not be entered.
    pub(super) fn reenter(&mut self, id: Id) {
        let Some(gone) = self.remove(id) else { return };
        let Some(task) = gone.task else {
            return self.agenda.push_back(Work::Leave { id: ROOT, output: Arc::default() });
        };
        let (parent, slot, prefix, vars) = (gone.parent, gone.slot, gone.prefix, gone.vars);
        if slot == Slot::Iteration {
            let place = Place { parent, slot, path: gone.path, prefix, vars: &vars };
            return self.body(&task, place);
        }
        self.agenda.push_back(Work::Enter { task, parent, slot, prefix, vars });
    }
}

/// Why a step is blocked, as people see it.
pub(crate) fn blocked(path: &Arc<str>, missing: &str) -> Failure {
    let said = format!("{missing} is not configured; the run goes on when it is");
    Failure { recoverable: true, ..Failure::new(path, "flow.blocked", said) }
}
