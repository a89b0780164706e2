//! What a person's decision means for a run: it goes on, tries a step again, or undoes what it did.

use std::sync::Arc;

use serde_json::Value;

use super::failure::Failure;
use super::frame::{Activation, At, Id, ROOT, Undoing};
use super::machine::Machine;

impl Machine<'_> {
    /// Lets everything go on where a pause held it back, and what was stuck once more from its beginning. What may have
    /// landed and must not be repeated stays stuck, unless somebody says that it is to be sent again, all of it or that of
    /// one step.
    pub(super) fn resume(&mut self, send_again: bool, step: Option<&str>) {
        self.state.paused = None;
        let again = send_again || store::mutant("resume-sends-again");
        let unsettled = self.state.still_unsettled(again, step);
        for id in self.leaf_ids(|at| matches!(at, At::Blocked)) {
            self.unblock(id);
        }
        for id in self.leaf_ids(|at| matches!(at, At::Held | At::Stuck)) {
            let Some(active) = self.state.active.get(&id) else { continue };
            let Some(leaf) = active.leaf() else { continue };
            match leaf.at {
                _ if leaf.whole => self.reenter(id),
                At::Stuck if unsettled.contains(&active.path) => {}
                At::Stuck => self.afresh(id, None),
                _ => self.decide(id),
            }
        }
        if let Some(step) = unsettled.first() {
            self.pause("outcome_unknown", Some(step.clone()));
        }
    }

    pub(super) fn replayed(&mut self, path: &Arc<str>, input: Option<&Value>) {
        match self.state.leaf(path).zip(self.state.leaves.get(path)) {
            Some((leaf, id)) if matches!(leaf.at, At::Stuck) => self.afresh(*id, input),
            Some(_) => {}
            None => self.undo_again(path, input),
        }
        if self.state.paused.as_ref().is_some_and(|paused| paused.step.as_ref() == Some(path)) {
            self.resume(false, None);
        }
    }

    pub(super) fn afresh(&mut self, id: Id, input: Option<&Value>) {
        let Some(leaf) = self.state.active.get_mut(&id).and_then(Activation::leaf_mut) else { return };
        leaf.rounds = 0;
        leaf.intent = false;
        leaf.probing = false;
        leaf.unfinished = None;
        (leaf.looks, leaf.looking, leaf.looked_out) = (0, None, false);
        if let Some(input) = input {
            leaf.input = Some(input.clone());
        }
        self.decide(id);
    }

    pub(super) fn cancel(&mut self, by: &str) {
        self.state.cancelling = Some(by.to_owned());
        self.state.paused = None;
        let error = Failure::new(&"".into(), "flow.cancelled", format!("cancelled by {by}"));
        if self.state.active.contains_key(&ROOT) {
            self.drain(ROOT, error, Undoing::Everything);
            // What was being undone, and held back by a pause, goes on.
            for id in self.leaf_ids(|at| matches!(at, At::Held)) {
                self.decide(id);
            }
        } else if self.state.has_done() {
            // Restarted, it waits for its turn; what it had done is undone when that comes.
            self.state.undoing = Some(error);
        } else {
            self.enter_nothing();
            self.drain(ROOT, error, Undoing::Nothing);
        }
    }

    /// Enters the root of a run that is over before its first step.
    pub(super) fn enter_nothing(&mut self) {
        self.begin();
        self.agenda.clear();
    }
}
