//! Compensation: finished steps are undone in reverse order of finishing, one at a time, parked ones passed over.

use std::sync::Arc;

use port::Repeat;
use serde_json::Value;

use super::Purpose;
use super::failure::Failure;
use super::frame::{Frame, Id, Leaf, ROOT, Scope, Slot, Stage, Undoing, Vars};
use super::machine::Machine;
use super::member::step_of;
use super::raise::error_value;
use super::record::{Done, RecordStatus, Undo};
use crate::definition::{Body, Call, Task};

impl Machine<'_> {
    /// Remembers a step that has, or may have, acted on the world.
    pub(super) fn remember(&mut self, id: Id, output: &Arc<Value>, known: bool) {
        let Some(active) = self.state.active.get(&id) else { return };
        let Some(task) = active.task.clone() else { return };
        if active.leaf().is_some_and(|leaf| leaf.undoes.is_some())
            || (!known && store::mutant("forget-unknown"))
        {
            return;
        }
        let runs = matches!(task.body, Body::Run { .. });
        if runs && !known {
            return; // a child that did not succeed has undone what it did, or says what it could not
        }
        self.state.acted |= runs || task.acts();
        let Some(active) = self.state.active.get(&id) else { return };
        let (path, vars) = (active.path.clone(), active.vars.clone());
        let same = |done: &&Done| done.path == path && done.undo == Undo::Pending;
        let before = self.state.done.iter().find(same).and_then(|done| done.child.clone());
        let child = active.leaf().and_then(|leaf| leaf.child.clone()).or(before);
        let chain = self.chain(active.parent);
        if !known {
            self.doubt(&path);
        }
        let settles = self.state.leaf(&path).and_then(|leaf| leaf.settles);
        // Done again without a key it is another effect; both are to be undone. Others are known by their places in this
        // list, so that nothing is taken out of it while the run goes on.
        let never =
            self.state.start.language > 1 && task.acts() && self.state.repeat_of(&path) == Repeat::Never;
        let again = self.state.done.iter_mut().filter(|done| done.path == path && done.undo == Undo::Pending);
        let again = again.filter(|done| !(never && done.known && known));
        again.for_each(|done| done.undo = Undo::Nothing);
        self.state.done.push(Done {
            path,
            task,
            vars,
            output: output.clone(),
            child,
            known,
            settles,
            undo: Undo::Pending,
            undo_settles: None,
            chain,
        });
    }

    /// What is to be undone for a scope, the next one last.
    pub(super) fn undo_queue(&self, scope: Id, undo: Undoing) -> Vec<usize> {
        let wanted = |done: &Done| {
            let may = done.task.compensate.is_some() || self.undoes_itself(done);
            let mine = done.chain.contains(&scope) && done.undo == Undo::Pending && may;
            let mine = mine && !self.is_losers(done, scope);
            match undo {
                Undoing::Everything => mine,
                Undoing::Unknown => mine && !done.known,
                Undoing::Nothing => false,
            }
        };
        let forgotten = usize::from(store::mutant("forget-undo"));
        let queue = self.state.done.iter().enumerate().filter(|(_, done)| wanted(done));
        queue.map(|(at, _)| at).skip(forgotten).collect()
    }

    /// Whether a loser of a race undoes it, beside the scope.
    fn is_losers(&self, done: &Done, scope: Id) -> bool {
        let inner = done.chain.iter().filter(|id| **id != scope);
        inner.filter_map(|id| self.state.active.get(id)).any(|active| active.slot == Slot::Loser)
    }

    /// Undoes the next step of the scope's queue, or goes on when it is empty.
    pub(super) fn undo_next(&mut self, id: Id) {
        let Some(scope) = self.state.active.get_mut(&id).and_then(|active| active.scope_mut()) else {
            return;
        };
        let Stage::Undoing { error, queue } = &mut scope.stage else { return };
        match queue.pop() {
            Some(at) => self.undo(id, at),
            None => {
                let error = error.clone();
                self.undone(id, error);
            }
        }
    }

    fn undo(&mut self, scope: Id, at: usize) {
        let Some(done) = self.state.done.get(at).cloned() else { return };
        let path: Arc<str> = format!("{}/undo", done.path).into();
        self.note(&path, &done.task, RecordStatus::Running);
        // One that was sent before, and of which nobody knows, is still that.
        let (perhaps, settles) = (done.undo_settles.is_some(), done.undo_settles);
        let leaf = Frame::Leaf(Box::new(Leaf { undoes: Some(at), perhaps, settles, ..Leaf::default() }));
        let id = self.activate(scope, Slot::Undo, Some(done.task), path, "".into(), done.vars, leaf);
        self.decide(id);
    }

    /// The scope has undone what it had to.
    fn undone(&mut self, id: Id, error: Failure) {
        if id == ROOT {
            return self.finish(Some(error));
        }
        let Some(active) = self.state.active.get_mut(&id) else { return };
        if active.slot == Slot::Loser {
            return self.loser_over(id);
        }
        let Some(Body::Try(attempt)) = active.task.as_deref().map(|task| task.body.clone()) else { return };
        let vars = active.vars.bind(&"error".into(), error_value(&error));
        let prefix = active.prefix.clone();
        if let Some(scope) = active.scope_mut() {
            scope.stage = Stage::Catching;
        }
        if let Some(catch) = attempt.catch {
            self.block(id, Slot::Catch, None, prefix, catch.block, vars);
        }
    }

    /// The names a compensation sees: those of its step, and `result` and `error`.
    pub(super) fn undo_vars(&self, at: usize, vars: &Vars, scope: Id) -> Vars {
        let output = self.state.done.get(at).map_or(Value::Null, |done| Value::clone(&done.output));
        let error = match self.state.active.get(&scope).map(|active| &active.frame) {
            Some(Frame::Scope(scope)) => match &scope.stage {
                Stage::Undoing { error, .. } | Stage::Draining { error, .. } => error_value(error),
                Stage::Body | Stage::Catching | Stage::Finishing(_) | Stage::Ended => Value::Null,
            },
            _ => Value::Null,
        };
        vars.bind(&"result".into(), output).bind(&"error".into(), error)
    }

    /// Whether the step's output may be asked for again under the step's own key.
    pub(super) fn may_recall(&self, at: usize) -> bool {
        let Some(done) = self.state.done.get(at) else { return false };
        let repeat = |call: &Call| match self.state.member(&done.path, Purpose::Recall, call) {
            Some(member) => call.members.repeat_at(member),
            None => call.repeat,
        };
        !done.known && done.task.body.call().is_some_and(|call| repeat(call) != Repeat::Never)
    }

    pub(super) fn compensated(&mut self, path: &Arc<str>, attempts: u32, ms: u64) {
        self.close_undo(path, Undo::Compensated, |record, now| {
            record.status = RecordStatus::Compensated;
            record.attempts += attempts;
            record.ms = Some(ms);
            record.ended = Some(now);
            record.error = None;
        });
    }

    pub(super) fn parked(&mut self, path: &Arc<str>, error: &Failure) {
        let unknown = self.undo_in_doubt(path, error);
        self.close_undo(path, Undo::Parked, |record, now| {
            record.status = if unknown { RecordStatus::Unknown } else { RecordStatus::Parked };
            record.ended = Some(now);
            record.history.push((now, error.clone()));
            record.error = Some(error.clone());
        });
    }

    /// Ends the undoing of a step; nothing landed when it is [`Undo::Nothing`].
    pub(super) fn close_undo(
        &mut self,
        path: &Arc<str>,
        how: Undo,
        change: impl FnOnce(&mut super::Record, jiff::Timestamp),
    ) {
        let Some(id) = self.state.leaves.get(path).copied() else { return };
        let Some(gone) = self.remove(id) else { return };
        let now = self.state.now;
        self.with_record(path, |record| change(record, now));
        let done = gone.leaf().and_then(|leaf| leaf.undoes).and_then(|at| self.state.done.get_mut(at));
        if let Some(done) = done {
            done.undo = how;
            done.undo_settles = done.undo_settles.filter(|_| how == Undo::Parked);
            let step = done.path.clone();
            if how != Undo::Parked {
                self.forget_member(path);
            }
            if how == Undo::Nothing {
                self.with_record(&step, |record| {
                    if record.status == RecordStatus::Unknown {
                        record.status = RecordStatus::Dropped;
                    }
                });
            }
            if how == Undo::Compensated {
                *self.state.undone.entry(step.clone()).or_default() += 1;
                self.with_record(&step, |record| record.status = RecordStatus::Compensated);
            }
        }
        match gone.slot {
            Slot::Orphan => self.orphan_done(gone.parent),
            _ => self.undo_next(gone.parent),
        }
    }

    /// Tries a parked compensation of an ended run once more.
    pub(super) fn undo_again(&mut self, path: &Arc<str>, input: Option<&Value>) {
        let step = step_of(path);
        let parked = |done: &Done| *done.path == *step && done.undo == Undo::Parked;
        let Some(at) = self.state.done.iter().position(parked) else { return };
        let Some(ended) = self.state.ended.take() else { return };
        self.state.done[at].undo = Undo::Pending;
        let scope = self.undoing_again(path, ended.error);
        self.undo(scope, at);
        if let (Some(input), Some(id)) = (input, self.state.leaves.get(path).copied()) {
            self.out.clear();
            if let Some(leaf) = self.state.active.get_mut(&id).and_then(|active| active.leaf_mut()) {
                leaf.input = Some(input.clone());
            }
            self.decide(id);
        }
    }

    /// Where a parked compensation is tried again: at the root, or as a loser's beside a run that has succeeded.
    fn undoing_again(&mut self, path: &Arc<str>, error: Option<Failure>) -> Id {
        let beside = error.is_none();
        let error = error.unwrap_or_else(|| Failure::new(path, "flow.race_lost", "undone beside its run"));
        let undoing = Stage::Undoing { error, queue: Vec::new() };
        let root = self.state.active.get_mut(&ROOT).and_then(|active| active.scope_mut());
        let stage = if beside { Stage::Finishing(None) } else { undoing.clone() };
        if let Some(root) = root {
            root.stage = stage;
        }
        if !beside {
            return ROOT;
        }
        let scope = Scope { stage: undoing, rounds: 0, chain: [ROOT].into() };
        let (path, vars) = ("".into(), Vars::default());
        self.activate(ROOT, Slot::Loser, None, path, "".into(), vars, Frame::Scope(scope))
    }

    /// How a step is undone.
    pub(super) fn compensation(task: &Task) -> Option<&crate::definition::Compensate> {
        task.compensate.as_ref()
    }
}
