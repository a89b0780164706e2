//! Failing: who takes an error, and what has to be quiet before they do.

use std::sync::Arc;

use port::Landed;
use serde_json::Value;

use super::Decision;
use super::failure::Failure;
use super::frame::{At, Frame, Id, ROOT, Slot, Stage, Undoing};
use super::machine::Machine;
use super::question::QuestionEnd;
use super::record::RecordStatus;
use crate::definition::Body;

/// Who takes an error.
enum Taker {
    /// The step is tried again by this `try`.
    Retry(Id),
    Scope(Id, Undoing),
    /// This branch of a race alone has failed.
    Branch(Id),
}

impl Machine<'_> {
    /// Carries an error from `id` to whoever takes it: a `retry`, a `catch`, or the root, which undoes everything.
    pub(super) fn raise(&mut self, id: Id, error: Failure) {
        let Some(active) = self.state.active.get(&id) else { return };
        if active.slot == Slot::Orphan {
            let parent = active.parent;
            self.remove(id);
            return self.orphan_done(parent);
        }
        let (failed_leaf, parent) = (active.leaf().is_some(), active.parent);
        if failed_leaf
            && let Some(reason) = self.is_for_a_person(&error)
            && self.is_uncaught(id, &error)
        {
            let path = error.step.clone();
            let path = self.state.active.get(&id).map_or(path, |active| active.path.clone());
            // A child that brought the error has ended: nobody waits for it any more.
            self.with_leaf(&path, |leaf| (leaf.at, leaf.intent, leaf.child) = (At::Flying, false, None));
            return self.aside(&path, reason, error);
        }
        match self.taker(id, &error, failed_leaf) {
            Taker::Retry(scope) => self.retry_leaf(id, scope),
            Taker::Scope(scope, undo) => {
                let from = if failed_leaf { parent } else { id };
                self.failed_up_to(from, scope);
                if failed_leaf {
                    self.forget_failed(id, &error);
                }
                if undo != Undoing::Everything {
                    self.lose_around(from, scope);
                }
                self.drain(scope, error, undo);
            }
            Taker::Branch(branch) => {
                let from = if failed_leaf { parent } else { id };
                self.failed_up_to(from, branch);
                if failed_leaf {
                    self.forget_failed(id, &error);
                }
                self.outlived(branch, error);
            }
        }
    }

    /// The tasks that a failed one is in have failed with it, up to the scope that takes the error.
    fn failed_up_to(&mut self, from: Id, scope: Id) {
        let (mut at, now) = (from, self.state.now);
        while at != scope && at != ROOT {
            let Some(active) = self.state.active.get(&at) else { return };
            let (path, parent) = (active.path.clone(), active.parent);
            if active.task.is_some() {
                self.with_record(&path, |record| {
                    record.status = RecordStatus::Failed;
                    record.ended = Some(now);
                });
            }
            at = parent;
        }
    }

    /// Whether nothing but the root takes an error.
    pub(super) fn is_uncaught(&self, from: Id, error: &Failure) -> bool {
        matches!(self.taker(from, error, true), Taker::Scope(ROOT, _))
    }

    fn taker(&self, from: Id, error: &Failure, leaf: bool) -> Taker {
        let mut at = from;
        while at != ROOT {
            let Some(active) = self.state.active.get(&at) else { break };
            if self.is_outlived(active) {
                return Taker::Branch(at);
            }
            if let (Frame::Scope(scope), Some(Body::Try(attempt))) =
                (&active.frame, active.task.as_deref().map(|task| &task.body))
                && matches!(scope.stage, Stage::Body)
            {
                if let Some(retry) = &attempt.retry
                    && leaf
                    && scope.rounds + 1 < retry.attempts
                    && retry.covers(error.kind)
                    && self.may_enter_again(from, error)
                {
                    return Taker::Retry(at);
                }
                if self.catches(at, error) {
                    let undo = match &attempt.catch {
                        Some(catch) if catch.undo => Undoing::Everything,
                        _ => Undoing::Unknown,
                    };
                    return Taker::Scope(at, undo);
                }
            }
            at = active.parent;
        }
        Taker::Scope(ROOT, Undoing::Everything)
    }

    /// Whether a failed step may be done again: it certainly did not land, or doing it again is the same effect.
    fn may_enter_again(&self, id: Id, error: &Failure) -> bool {
        let Some(active) = self.state.active.get(&id) else { return false };
        let perhaps = error.landed != Landed::No || active.leaf().is_some_and(|leaf| leaf.perhaps);
        let again = self.state.repeat_of(&active.path) != port::Repeat::Never;
        !perhaps
            || again
            || active.task.as_deref().is_some_and(|task| task.body.call().is_none())
            || store::mutant("resend-never-on-retry")
    }

    fn catches(&self, id: Id, error: &Failure) -> bool {
        let Some(active) = self.state.active.get(&id) else { return false };
        let Some(Body::Try(attempt)) = active.task.as_deref().map(|task| &task.body) else { return false };
        let Some(catch) = &attempt.catch else { return false };
        let kind = error.kind.map_or("", port::Kind::as_str);
        let named = catch.kinds.is_empty()
            || catch.kinds.iter().any(|wanted| wanted == kind || *wanted == error.code);
        let vars = active.vars.bind(&"error".into(), error_value(error));
        named && catch.when.as_ref().is_none_or(|when| when.test(&self.state.scope(&vars)).unwrap_or(false))
    }

    fn retry_leaf(&mut self, id: Id, scope: Id) {
        let Some(active) = self.state.active.get_mut(&scope) else { return };
        let Some(Body::Try(attempt)) = active.task.clone().map(|task| task.body.clone()) else { return };
        let (Frame::Scope(state), Some(retry)) = (&mut active.frame, attempt.retry) else { return };
        state.rounds += 1;
        let round = state.rounds;
        let Some(leaf) = self.state.active.get_mut(&id) else { return };
        let path = leaf.path.clone();
        if let Some(leaf) = leaf.leaf_mut() {
            leaf.at = At::Waiting;
            leaf.rounds = 0;
            leaf.intent = false;
            leaf.probing = false;
            leaf.child = None;
        }
        self.withdraw(id, QuestionEnd::Withdrawn);
        self.with_leaf(&path, |leaf| leaf.on = None);
        self.backoff(&path, round, &retry);
    }

    /// A failed step that may have landed is undone like one that has.
    fn forget_failed(&mut self, id: Id, error: &Failure) {
        let perhaps =
            self.state.active.get(&id).and_then(|active| active.leaf()).is_some_and(|leaf| leaf.perhaps);
        if error.landed != Landed::No || perhaps {
            self.remember(id, &Arc::new(Value::Null), false);
        }
        self.remove(id);
    }

    /// Stops everything in the scope, waits for calls in flight, then goes the other way.
    pub(super) fn drain(&mut self, scope: Id, error: Failure, undo: Undoing) {
        let Some(state) = self.state.active.get_mut(&scope).and_then(|active| active.scope_mut()) else {
            return;
        };
        if let Stage::Draining { .. } = state.stage {
            return;
        }
        if scope == ROOT && matches!(state.stage, Stage::Undoing { .. } | Stage::Ended) {
            return;
        }
        state.stage = Stage::Draining { error, live: 0, undo };
        self.stop_below(scope, undo != Undoing::Nothing);
        let quiet = match self.state.active.get(&scope).map(|active| &active.frame) {
            Some(Frame::Scope(state)) => matches!(state.stage, Stage::Draining { live: 0, .. }),
            _ => false,
        };
        if quiet {
            self.drained(scope);
        }
    }

    /// Ends everything below, but for calls that are or may be in flight: those become orphans of `above`. A scope that
    /// undoes nothing leaves the losers of its races to themselves.
    fn stop_below(&mut self, above: Id, undoes: bool) {
        let mut below = self.below(above);
        if !undoes {
            below = self.without_losers(below);
        }
        below.reverse();
        let mut live = 0;
        for id in below {
            let Some(active) = self.state.active.get_mut(&id) else { continue };
            let path = active.path.clone();
            let orphan = active.leaf().is_some_and(|leaf| {
                leaf.child.is_some()
                    || matches!(leaf.at, At::Flying | At::Until(_))
                    || (leaf.intent && matches!(leaf.at, At::Held))
            });
            if orphan {
                (active.parent, active.slot) = (above, Slot::Orphan);
                live += 1;
                self.settle(id);
                continue;
            }
            if let Some(leaf) = active.leaf() {
                let blocked = leaf.intent && matches!(leaf.at, At::Blocked);
                let (perhaps, stuck) = (leaf.perhaps || blocked, matches!(leaf.at, At::Stuck));
                let unsure = self.state.stuck(&path).is_some_and(|error| error.landed != Landed::No);
                let doubtful = perhaps || (stuck && unsure);
                if doubtful {
                    self.remember(id, &Arc::new(Value::Null), false);
                }
                self.out.push(Decision::Clear { path: path.clone() });
                let status = self.stopped_as(&path, doubtful);
                self.with_record(&path, |record| record.status = status);
            } else if active.task.is_some() {
                self.stopped(&path);
            }
            self.remove(id);
        }
        let scope = self.state.active.get_mut(&above).and_then(|active| active.scope_mut());
        if let Some(Stage::Draining { live: counted, .. }) = scope.map(|scope| &mut scope.stage) {
            *counted = live;
        }
    }

    /// A task made of tasks ends with those that are stopped.
    fn stopped(&mut self, path: &str) {
        let now = self.state.now;
        self.with_record(path, |record| {
            if record.status == RecordStatus::Running {
                record.status = RecordStatus::Dropped;
                record.ended = Some(now);
            }
        });
    }

    pub(super) fn settle(&mut self, id: Id) {
        let Some(active) = self.state.active.get(&id) else { return };
        let path = active.path.clone();
        match active.leaf().and_then(|leaf| leaf.child.clone()) {
            Some(run) => self.out.push(Decision::StopChild { run }),
            None => self.out.push(Decision::Settle { path }),
        }
    }

    /// Everything active below, parents before children.
    fn below(&self, above: Id) -> Vec<Id> {
        let mut found = vec![above];
        for (id, active) in &self.state.active {
            if *id != above && found.contains(&active.parent) {
                found.push(*id);
            }
        }
        found.remove(0);
        found
    }

    fn without_losers(&self, below: Vec<Id>) -> Vec<Id> {
        let loses = |id: &Id| self.state.active.get(id).is_some_and(|active| active.slot == Slot::Loser);
        let losers: Vec<Id> = below.iter().copied().filter(loses).collect();
        let theirs: Vec<Id> = losers.iter().flat_map(|id| self.below(*id)).collect();
        below.into_iter().filter(|id| !losers.contains(id) && !theirs.contains(id)).collect()
    }

    /// Nothing of the scope is in flight any more.
    pub(super) fn drained(&mut self, id: Id) {
        let Some(scope) = self.state.active.get_mut(&id).and_then(|active| active.scope_mut()) else {
            return;
        };
        let Stage::Draining { error, undo, .. } = &scope.stage else { return };
        let (error, undo) = (error.clone(), *undo);
        let queue = self.undo_queue(id, undo);
        if let Some(scope) = self.state.active.get_mut(&id).and_then(|active| active.scope_mut()) {
            scope.stage = Stage::Undoing { error, queue };
        }
        self.undo_next(id);
    }
}

/// The error as expressions see it.
pub(super) fn error_value(error: &Failure) -> Value {
    serde_json::to_value(error).unwrap_or(Value::Null)
}
