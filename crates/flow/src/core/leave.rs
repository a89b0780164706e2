//! Leaving a task: what its output means for the sequence, loop, branch or scope above it.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::Decision;
use super::enter::Place;
use super::frame::{Frame, Id, ROOT, Slot, Stage};
use super::machine::{Machine, Work};
use super::outcome::Ended;
use super::record::RecordStatus;
use crate::definition::{Body, Task};

impl Machine<'_> {
    /// Goes on with a sequence or a loop.
    pub(super) fn next(&mut self, id: Id) {
        let Some(active) = self.state.active.get_mut(&id) else { return };
        match &mut active.frame {
            Frame::Block { block, next, last } => match block.get(*next) {
                Some(task) => {
                    *next += 1;
                    let (task, prefix, vars) = (task.clone(), active.prefix.clone(), active.vars.clone());
                    self.agenda.push_back(Work::Enter { task, parent: id, slot: Slot::Body, prefix, vars });
                }
                None => {
                    let output = last.clone();
                    self.agenda.push_back(Work::Leave { id, output });
                }
            },
            Frame::Loop { items, next, outputs } => {
                let at = *next;
                *next += 1;
                match items.get(at).cloned() {
                    Some(item) => self.iterate(id, at, item),
                    None => {
                        let output = Arc::new(Value::Array(std::mem::take(outputs)));
                        self.agenda.push_back(Work::Leave { id, output });
                    }
                }
            }
            Frame::Fork { .. } | Frame::Scope(_) | Frame::Leaf(_) => {}
        }
    }

    fn iterate(&mut self, id: Id, at: usize, item: Value) {
        let Some(active) = self.state.active.get(&id) else { return };
        let Some(task) = active.task.clone() else { return };
        let name = task.each.as_ref().map_or_else(|| "item".into(), |each| each.name.clone());
        let path: Arc<str> = format!("{}[{at}]", active.path).into();
        let prefix = format!("{path}.").into();
        let vars = active.vars.bind(&name, item);
        if !self.counted() {
            let error = super::Failure::new(&path, "flow.too_many_steps", "the run has entered 100000 steps");
            return self.agenda.push_back(Work::Raise { id, error });
        }
        self.note(&path, &task, RecordStatus::Running);
        self.body(&task, Place { parent: id, slot: Slot::Iteration, path, prefix, vars: &vars });
    }

    /// Ends an activation and tells the one above.
    pub(super) fn leave(&mut self, id: Id, output: Arc<Value>) {
        if !self.is_going(id) {
            return;
        }
        if id == ROOT {
            return self.finish(None);
        }
        let Some(gone) = self.remove(id) else { return };
        if gone.task.is_some() && gone.leaf().is_none() {
            let now = self.state.now;
            self.with_record(&gone.path, |record| {
                record.status = RecordStatus::Succeeded;
                record.ended = Some(now);
            });
        }
        self.child_done(gone.parent, gone.slot, gone.task.as_ref(), &output);
    }

    /// Whether a piece of the flow is at its own steps: a scope that undoes, or is over, is not left by them.
    fn is_going(&self, id: Id) -> bool {
        match self.state.active.get(&id).map(|active| &active.frame) {
            Some(Frame::Scope(scope)) => matches!(scope.stage, Stage::Body | Stage::Catching),
            Some(_) => true,
            None => false,
        }
    }

    /// What stands below `parent` at `slot` is done.
    pub(super) fn child_done(
        &mut self,
        parent: Id,
        slot: Slot,
        task: Option<&Arc<Task>>,
        output: &Arc<Value>,
    ) {
        if let (Some(task), false) = (task, matches!(slot, Slot::Iteration | Slot::Undo | Slot::Orphan))
            && let Value::Object(steps) = &mut self.state.steps
        {
            steps.insert(task.name.to_string(), Value::clone(output));
        }
        let Some(active) = self.state.active.get_mut(&parent) else { return };
        match (&mut active.frame, slot) {
            (_, Slot::Orphan) => self.orphan_done(parent),
            (Frame::Block { last, .. }, _) => {
                *last = output.clone();
                self.agenda.push_back(Work::Next(parent));
            }
            (Frame::Loop { outputs, .. }, _) => {
                outputs.push(Value::clone(output));
                self.agenda.push_back(Work::Next(parent));
            }
            (Frame::Fork { .. }, Slot::Branch(at)) => self.branch_done(parent, at, output),
            (Frame::Scope(_), Slot::Undo) => self.undo_next(parent),
            (Frame::Scope(_), _) => self.agenda.push_back(Work::Leave { id: parent, output: output.clone() }),
            (Frame::Fork { .. } | Frame::Leaf(_), _) => {}
        }
    }

    fn branch_done(&mut self, fork: Id, at: usize, output: &Arc<Value>) {
        let Some(active) = self.state.active.get_mut(&fork) else { return };
        let Some(Body::Fork { branches, .. }) = active.task.as_deref().map(|task| &task.body) else { return };
        let name = branches.get(at).map(|(name, _)| name.to_string()).unwrap_or_default();
        let Frame::Fork { outputs, live, race } = &mut active.frame else { return };
        outputs.insert(name, Value::clone(output));
        *live = live.saturating_sub(1);
        if *live > 0 && race.is_none() {
            return;
        }
        let output = Arc::new(Value::Object(std::mem::replace(outputs, Map::new())));
        self.lose_others(fork, None);
        self.agenda.push_back(Work::Leave { id: fork, output });
    }

    /// A call that was in flight when its scope went another way has come home.
    pub(super) fn orphan_done(&mut self, parent: Id) {
        let Some(active) = self.state.active.get_mut(&parent) else { return };
        let Some(scope) = active.scope_mut() else { return };
        if let Stage::Draining { live, .. } = &mut scope.stage {
            *live = live.saturating_sub(1);
            if *live == 0 {
                self.drained(parent);
            }
        }
    }

    /// The root has nothing left to do.
    pub(super) fn over(&mut self, error: Option<super::Failure>) {
        use store::RunStatus;
        // Also of a way that was given up, or lost its race, beside what has succeeded.
        if error.is_some() || self.state.start.language > 1 {
            self.leave_doubts();
        }
        let (result, error) = match error {
            Some(error) => (Value::Null, Some(error)),
            None => {
                match self.definition.result.as_ref().map(|result| result.eval(&self.state.outer_scope())) {
                    None => (Value::Null, None),
                    Some(Ok(result)) => (result, None),
                    Some(Err(error)) => {
                        let error = super::Failure::new(&"result".into(), "flow.expression", error.message);
                        return self.no_result(error);
                    }
                }
            }
        };
        let status = match &error {
            None if self.state.start.language > 0 && self.state.has_parked() => RunStatus::Parked,
            None => RunStatus::Succeeded,
            Some(_) if self.state.has_parked() => RunStatus::Parked,
            Some(_) if self.state.is_undone() => RunStatus::Compensated,
            Some(_) if self.state.cancelling.is_some() => RunStatus::Cancelled,
            Some(_) if self.state.has_compensated() => RunStatus::Compensated,
            Some(_) => RunStatus::Failed,
        };
        let ended = Ended { status, result, error };
        self.state.ending = Some(ended.clone());
        self.out.push(Decision::End(Box::new(ended)));
    }
}
