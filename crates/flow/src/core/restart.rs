//! Restarting from a step: what was finished before it is kept, it and what followed is forgotten.

use std::collections::HashMap;
use std::sync::Arc;

use port::Repeat;
use serde_json::{Map, Value};

use super::machine::Machine;
use super::record::{Record, RecordStatus, Undo};
use super::state::State;

impl State {
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

    /// Whether anything that was done is not undone.
    pub(super) fn has_done(&self) -> bool {
        self.done.iter().any(|done| done.undo == Undo::Pending)
    }

    /// Whether a step has, or may have, acted, and that is not undone.
    pub(super) fn stands(&self, path: &str) -> bool {
        self.done.iter().any(|done| *done.path == *path && done.undo == Undo::Pending)
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
        let kept = state.records[..upto].iter().filter(|record| record.status == RecordStatus::Succeeded);
        // A message that was taken back was never sent.
        let kept = kept.filter(|record| !state.left_nothing(&record.path));
        let kept = kept.filter_map(|record| Some((record.path.clone(), record.output.clone()?)));
        state.kept = kept.collect::<HashMap<_, _>>();
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
