//! Restarting from a step: what was finished before it is kept, it and what followed is forgotten.

use std::collections::HashMap;
use std::sync::Arc;

use port::Repeat;
use serde_json::{Map, Value};

use super::machine::Machine;
use super::record::{Record, RecordStatus, Undo};
use super::state::State;

impl State {
    /// The outputs of steps that a restart does not do again: of those before it, and of runs that later ones began and
    /// that stand. Such a run is the effect of its step; another would be a second one, and is begun when it was undone.
    fn kept_by_a_restart(&self, upto: usize) -> HashMap<Arc<str>, Arc<Value>> {
        let stands = |path: &str| {
            let done = self.done.iter().rev().find(|done| *done.path == *path);
            self.start.language > 1
                && done.is_some_and(|done| done.known && done.child.is_some() && done.undo == Undo::Pending)
        };
        let records = self.records.iter().enumerate();
        let kept = records.filter(|(at, record)| *at < upto || stands(&record.path));
        let kept = kept.filter(|(_, record)| record.status == RecordStatus::Succeeded);
        kept.filter_map(|(_, record)| Some((record.path.clone(), record.output.clone()?))).collect()
    }

    /// Remembers for people what is done once more and may not be the same effect.
    fn set_aside(&mut self, upto: usize) {
        let again = |record: &&Record| {
            let landed = record.status == RecordStatus::Succeeded && record.is_effect();
            landed && self.repeat_of(&record.path) == Repeat::Never
        };
        let again: Vec<Record> = self.records[upto..].iter().filter(again).cloned().collect();
        self.earlier.extend(again);
    }

    /// How often a step was undone.
    pub(crate) fn generation(&self, path: &str) -> u32 {
        self.undone.get(path).copied().unwrap_or_default()
    }

    /// How many runs a step has begun.
    pub(crate) fn children(&self, path: &str) -> u32 {
        self.begun.get(path).copied().unwrap_or_default()
    }
}

impl Machine<'_> {
    /// Enters the run again. A step that was finished before `path` began, and not undone since, gives its old output.
    ///
    /// One that had ended waits for its turn among those with its key, as at its start.
    pub(super) fn restart(&mut self, path: &Arc<str>) {
        let had_ended = self.state.ended.is_some();
        for id in self.leaf_ids(|_| true) {
            self.withdraw(id, super::QuestionEnd::Withdrawn);
        }
        let upto = self.state.index.get(path).copied().unwrap_or(0);
        self.remember_unknown();
        let state = &mut *self.state;
        state.kept = state.kept_by_a_restart(upto);
        state.set_aside(upto);
        state.done.retain(|done| matches!(done.undo, Undo::Pending | Undo::InDoubt));
        state.done.iter_mut().for_each(|done| done.undo = Undo::Pending);
        state.records.truncate(upto);
        state.index.retain(|_, at| *at < upto);
        state.active.clear();
        state.leaves.clear();
        state.next = 0;
        state.steps = Value::Object(Map::new());
        state.vars = Value::Object(Map::new());
        (state.ended, state.ending, state.ended_at, state.paused, state.cancelling) =
            (None, None, None, None, None);
        (state.count, state.undoing) = (0, None);
        if had_ended && self.state.start.language > 0 && self.state.place().is_some() {
            self.state.taken = false;
        } else {
            self.begin();
        }
    }

    /// What may have landed is not forgotten: done again it is the same effect, not done again it must be undone.
    fn remember_unknown(&mut self) {
        for id in self.leaf_ids(|_| true) {
            let leaf = self.state.active.get(&id).and_then(super::frame::Activation::leaf);
            if leaf.is_some_and(|leaf| leaf.perhaps || leaf.intent) {
                self.remember(id, &Arc::new(Value::Null), false);
            }
        }
    }
}
