//! What became of messages: a `tell` is done for its run when it is written down, and is answered later, perhaps when the
//! run has ended. What it was answered is kept for its undoing.

use std::sync::Arc;

use port::Landed;
use serde_json::Value;

use super::Decision;
use super::failure::Failure;
use super::frame::At;
use super::machine::Machine;
use super::record::{Done, Undo};
use super::state::State;

/// What became of a message, as far as its run knows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Told {
    Delivered,
    /// It is a dead letter; it may have arrived, or certainly did not.
    Dead(Landed),
    /// Nobody will ever know, and it will not be sent again: it is undone without its answer.
    Lost,
}

impl Told {
    /// Whether it may have arrived, and nobody will say so by itself.
    pub(crate) fn is_unknown(self) -> bool {
        matches!(self, Self::Dead(Landed::Unknown) | Self::Lost)
    }
}

impl State {
    /// What became of the message of a step; `None` as long as nobody has said.
    pub(crate) fn told(&self, path: &str) -> Option<Told> {
        self.told.get(path).copied()
    }

    /// Whether any step has told something.
    pub(crate) fn tells(&self) -> bool {
        self.records.iter().any(|record| record.task.verb == "tell")
    }

    /// Whether what is known of a message is enough to undo it.
    fn may_be_undone(&self, path: &str) -> bool {
        match self.told(path) {
            Some(Told::Delivered | Told::Lost) => true,
            Some(Told::Dead(_)) | None => false,
        }
    }
}

impl Machine<'_> {
    /// A message is written down, perhaps once more: nobody knows yet what becomes of it.
    pub(super) fn tells(&mut self, path: &str) {
        self.state.told.remove(path);
    }

    pub(super) fn delivered(&mut self, path: &Arc<str>, output: &Arc<Value>, attempts: u32) {
        self.with_record(path, |record| {
            record.attempts += attempts;
            record.output = Some(output.clone());
            record.error = None;
        });
        self.settled(path, Told::Delivered, |done| {
            done.output = output.clone();
            done.known = true;
        });
    }

    pub(super) fn died(&mut self, path: &Arc<str>, error: &Failure) {
        if self.is_settled(path) {
            return;
        }
        self.with_record(path, |record| record.error = Some(error.clone()));
        self.settled(path, Told::Dead(error.landed), |done| done.known = error.landed != Landed::Unknown);
    }

    pub(super) fn lost(&mut self, path: &Arc<str>) {
        if !self.is_settled(path) {
            self.settled(path, Told::Lost, |done| done.known = false);
        }
    }

    /// Whether a person has said what became of it.
    fn is_settled(&self, path: &str) -> bool {
        self.state.record(path).is_some_and(|record| record.settled_as.is_some())
    }

    /// A person found out whether a message of which nobody knew has arrived.
    pub(super) fn settle_told(&mut self, path: &Arc<str>, landed: Option<&Arc<Value>>) {
        match landed {
            Some(output) => self.delivered(path, output, 0),
            None => self.settled(path, Told::Dead(Landed::No), |done| done.known = true),
        }
    }

    /// Whoever waits to know this, in order to undo it, goes on.
    fn settled(&mut self, path: &Arc<str>, told: Told, change: impl FnOnce(&mut Done)) {
        let before = self.state.may_be_undone(path);
        self.state.told.insert(path.clone(), told);
        let pending = |done: &&mut Done| done.path == *path && done.undo == Undo::Pending;
        if let Some(done) = self.state.done.iter_mut().rev().find(pending) {
            change(done);
        }
        let undo: Arc<str> = format!("{path}/undo").into();
        let Some(id) = self.state.leaves.get(&undo).copied() else { return };
        let waits = self.state.leaf(&undo).is_some_and(|leaf| matches!(leaf.at, At::Until(_) | At::Flying));
        if waits && !before {
            self.out.push(Decision::Clear { path: undo });
            self.decide(id);
        }
    }

    /// Whether the undoing of a message has to find out first what became of it.
    pub(super) fn takes_back(&mut self, undo: &Arc<str>, at: usize) -> bool {
        let Some(done) = self.state.done.get(at) else { return false };
        if done.task.verb != "tell" || self.state.may_be_undone(&done.path) {
            return false;
        }
        let step = done.path.clone();
        self.out.push(Decision::TakeBack { path: undo.clone(), step });
        true
    }
}
