//! What a run that came to nothing leaves to a person: effects of which nobody knows whether they landed, and undos that
//! could not be made. Until that is settled the run is parked, not over.

use std::sync::Arc;

use port::Repeat;
use serde_json::Value;

use super::machine::Machine;
use super::member::step_of;
use super::record::{Done, RecordStatus, Undo};
use super::state::State;
use super::told::Told;

impl State {
    /// The steps which may have landed and must not be repeated: those under way, and what an ended run had to leave.
    pub(crate) fn doubts(&self) -> Vec<Arc<str>> {
        let active = self.leaves().filter(|(_, leaf)| leaf.perhaps && leaf.undoes.is_none());
        let active = active.map(|(active, _)| active.path.clone());
        let doubt = |done: &&Done| done.undo.is_left() && !done.known;
        let doubts = self.done.iter().filter(doubt).map(|done| done.path.clone());
        let told = self.records.iter().filter(|record| self.told(&record.path).is_some_and(Told::is_unknown));
        let told = told.map(|record| record.path.clone());
        let undone = self.undos_in_doubt().map(|record| record.path.clone());
        active
            .chain(doubts)
            .chain(told)
            .chain(undone)
            .filter(|path| self.repeat_of(path) == Repeat::Never)
            .collect()
    }

    /// Whether it is known that nothing of a step landed: there was nothing to undo, or its message was taken back.
    pub(crate) fn left_nothing(&self, path: &str) -> bool {
        self.done.iter().rev().find(|done| *done.path == *path).is_some_and(|done| done.undo == Undo::Nothing)
    }
}

impl Machine<'_> {
    /// What the run does not undo, and of which nobody knows whether it landed, waits for a person.
    pub(super) fn leave_doubts(&mut self) {
        if self.state.start.language == 0 || store::mutant("end-in-doubt") {
            return;
        }
        let mut left = Vec::new();
        for done in &mut self.state.done {
            if !done.known && done.undo == Undo::Pending && done.task.acts() {
                done.undo = Undo::InDoubt;
                left.push(done.path.clone());
            }
        }
        for path in left {
            self.with_record(&path, |record| record.status = RecordStatus::Unknown);
        }
    }

    /// A step that is stopped is not known to have come to nothing when it may have been sent.
    pub(super) fn stopped_as(&self, path: &str, unsure: bool) -> RecordStatus {
        let acts = !path.ends_with("/undo") && self.state.task(path).is_some_and(|task| task.acts());
        if unsure && acts { RecordStatus::Unknown } else { RecordStatus::Dropped }
    }

    /// A person found out what became of a step that an ended run had to leave, or of its undoing.
    pub(super) fn settle_left(&mut self, path: &Arc<str>, landed: Option<&Arc<Value>>) {
        let step = step_of(path);
        let left = |done: &Done| *done.path == *step && done.undo.is_left();
        let Some(at) = self.state.done.iter().position(left) else { return };
        match (path.ends_with("/undo"), landed) {
            (true, Some(_)) => self.left_as(at, Undo::Compensated),
            (true, None) => {
                self.state.done[at].undo_settles = None;
                self.undo_again(path, None);
            }
            (false, Some(output)) => self.left_landed(at, output),
            (false, None) => self.left_as(at, Undo::Nothing),
        }
    }

    /// It was undone by hand, or there was nothing to undo.
    fn left_as(&mut self, at: usize, undo: Undo) {
        let (step, by_hand) = (self.state.done[at].path.clone(), undo == Undo::Compensated);
        self.state.done[at].undo = undo;
        let now = self.state.now;
        self.with_record(&format!("{step}/undo"), |record| {
            record.status = if by_hand { RecordStatus::Compensated } else { RecordStatus::Skipped };
            record.ended = Some(now);
            record.error = None;
        });
        let status = if by_hand { RecordStatus::Compensated } else { RecordStatus::Dropped };
        self.with_record(&step, |record| record.status = status);
        self.over_again();
    }

    /// It landed: its undoing is tried again, or it stands as what else the run has not undone.
    fn left_landed(&mut self, at: usize, output: &Arc<Value>) {
        let done = &mut self.state.done[at];
        // Its undoing is not tried again while nobody knows whether that landed.
        let (left, in_doubt) = (done.undo, done.undo_settles.is_some());
        (done.known, done.output) = (true, output.clone());
        let (step, now) = (done.path.clone(), self.state.now);
        self.with_record(&step, |record| {
            (record.status, record.ended) = (RecordStatus::Succeeded, Some(now));
            (record.output, record.error) = (Some(output.clone()), None);
        });
        match left {
            Undo::Parked if in_doubt => {}
            Undo::Parked => return self.undo_again(&format!("{step}/undo").into(), None),
            _ => self.state.done[at].undo = Undo::Pending,
        }
        self.over_again();
    }

    fn over_again(&mut self) {
        if let Some(ended) = self.state.ended.take() {
            self.over(ended.error);
        }
    }
}
