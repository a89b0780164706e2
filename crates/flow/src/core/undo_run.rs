//! Undoing a run that has ended: everything it did, in reverse, as if a step had failed after the last one.

use super::Author;
use super::failure::Failure;
use super::frame::{Activation, ROOT, Stage, Undoing};
use super::machine::Machine;
use super::state::State;
use store::RunStatus;

impl State {
    /// Whether the run is, or was, undone after it had ended.
    pub(crate) fn is_undone(&self) -> bool {
        self.undoing.is_some()
    }

    /// Whether it waits for its turn to be undone, and that is refused when a later run has succeeded meanwhile.
    pub(crate) fn may_be_overtaken(&self) -> bool {
        self.stood.is_some() && !self.taken
    }

    /// Why a run that stands here cannot be undone.
    pub(crate) fn cannot_be_undone(&self) -> Option<&'static str> {
        match self.status() {
            RunStatus::Succeeded | RunStatus::Failed => None,
            RunStatus::Compensated | RunStatus::Cancelled => Some("it is undone already"),
            RunStatus::Parked => Some(
                "it waits for a person: settle what nobody knows, replay the dead letters of its undoing",
            ),
            RunStatus::Compensating => Some("it is being undone already"),
            RunStatus::Queued if self.is_undone() => Some("it is being undone already"),
            RunStatus::Queued | RunStatus::Running | RunStatus::Waiting | RunStatus::Paused => {
                Some("it has not ended: cancel it")
            }
        }
    }
}

impl Machine<'_> {
    /// A person, or the run that began this one, wants it undone.
    pub(super) fn undo_run(&mut self, by: &Author, force: bool) {
        if self.state.cannot_be_undone().is_some() {
            return;
        }
        let Author { by, reason } = by;
        let said = match reason.is_empty() {
            false => format!("undone by {by}: {reason}"),
            true => format!("undone by {by}"),
        };
        self.state.undoing = Some(Failure::new(&"".into(), "flow.undone", said));
        let before = self.state.ended.take().zip(self.state.ended_at.take());
        self.state.stood = before.filter(|_| !force);
        if self.state.place().is_some() {
            self.state.taken = false;
        } else {
            self.undo_everything();
        }
    }

    /// It stands as it did before somebody wanted it undone.
    pub(super) fn undo_refused(&mut self) {
        let Some((ended, at)) = self.state.stood.take() else { return };
        (self.state.ended, self.state.ended_at) = (Some(ended), Some(at));
        (self.state.undoing, self.state.taken) = (None, true);
    }

    /// It is this run's turn: to do what it is for, or to undo that.
    pub(super) fn taken(&mut self) {
        if self.state.undoing.is_some() {
            (self.state.taken, self.state.stood) = (true, None);
            self.undo_everything();
        } else {
            self.begin();
        }
    }

    fn undo_everything(&mut self) {
        let Some(error) = self.state.undoing.clone() else { return };
        match self.state.active.get_mut(&ROOT).and_then(Activation::scope_mut) {
            Some(root) => root.stage = Stage::Body,
            // It never had its turn: there is nothing that it did.
            None => self.enter_nothing(),
        }
        self.drain(ROOT, error, Undoing::Everything);
    }
}
