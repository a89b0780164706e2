//! Undoings that were sent and of which nobody knows whether they landed: they are no more sent again by themselves than a
//! step is.

use std::sync::Arc;

use port::{Landed, Repeat};

use super::doubt::is_definitive;
use super::failure::Failure;
use super::machine::Machine;
use super::record::{Done, Record, Undo};
use super::state::State;

impl State {
    /// The undoings that were given up while nobody knows whether they landed.
    pub(super) fn undos_in_doubt(&self) -> impl Iterator<Item = &Record> {
        let doubt = |done: &&Done| done.undo == Undo::Parked && done.undo_settles.is_some();
        self.done.iter().filter(doubt).filter_map(|done| self.record(&format!("{}/undo", done.path)))
    }

    /// What may have landed and must not be repeated by replaying the letter of this path: its step, or its undoing.
    pub(crate) fn unsettled_at(&self, path: &str) -> Vec<Arc<str>> {
        let undone = self.undos_in_doubt().filter(|record| *record.path == *path);
        let undone = undone.filter(|record| self.repeat_of(&record.path) == Repeat::Never);
        undone.map(|record| record.path.clone()).chain(self.unsettled()).collect()
    }
}

impl Machine<'_> {
    /// Whether nobody knows if an undoing landed that is given up with this error; remembered until somebody says so. A refusal
    /// of a later send tells nothing of an earlier one, unless both had one key and that one has settled.
    pub(super) fn undo_in_doubt(&mut self, path: &Arc<str>, error: &Failure) -> bool {
        let Some(leaf) = self.state.leaf(path) else { return false };
        let Some(at) = leaf.undoes.filter(|_| !leaf.probing) else { return false };
        if error.landed != Landed::No && (leaf.intent || self.may_be_out(leaf)) {
            self.doubt(path);
        }
        let Some(leaf) = self.state.leaf(path) else { return false };
        let settled = leaf.settles.is_none_or(|settles| settles <= self.state.now);
        let refused = error.landed == Landed::No && error.kind.is_some_and(is_definitive);
        let counts_for_all = refused && settled && self.state.repeat_of(path) != Repeat::Never;
        let settles = leaf.settles.or(Some(self.state.now)).filter(|_| leaf.perhaps && !counts_for_all);
        if let Some(done) = self.state.done.get_mut(at) {
            done.undo_settles = settles;
        }
        settles.is_some()
    }
}
