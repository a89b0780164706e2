//! Losers of a race: each becomes a scope of its own, which gets quiet and is undone beside the steps that go on with the
//! winner. Only the end of the run waits for it.

use super::failure::Failure;
use super::frame::{Activation, Frame, Id, ROOT, Slot, Stage, Undoing};
use super::machine::Machine;
use super::state::{Paused, State};
use crate::definition::Race;

impl State {
    /// Whether the losers of a race are still being undone.
    pub(crate) fn has_losers(&self) -> bool {
        self.active.values().any(|active| active.slot == Slot::Loser)
    }

    /// Whether the run has done its steps, and only losers of a race keep it from its end.
    pub(crate) fn waits_for_losers(&self) -> bool {
        let root = self.active.get(&ROOT).map(|root| &root.frame);
        matches!(root, Some(Frame::Scope(scope)) if matches!(scope.stage, Stage::Finishing(_)))
    }

    /// The first step of a loser that is not over yet.
    pub(crate) fn losing_step(&self) -> Option<&str> {
        self.leaves().map(|(active, _)| &*active.path).next()
    }
}

impl Machine<'_> {
    /// Ends the run that has nothing more to do, unless losers of a race are still being undone.
    pub(super) fn finish(&mut self, error: Option<Failure>) {
        if !self.state.has_losers() {
            return self.over(error);
        }
        if let Some(root) = self.state.active.get_mut(&ROOT).and_then(Activation::scope_mut) {
            root.stage = Stage::Finishing(error);
        }
    }

    /// A loser has nothing left to undo.
    pub(super) fn loser_over(&mut self, id: Id) {
        self.remove(id);
        let root = self.state.active.get_mut(&ROOT).and_then(Activation::scope_mut);
        if let Some(Stage::Finishing(error)) = root.map(|root| &mut root.stage) {
            let error = error.take();
            self.finish(error);
        }
    }

    /// Lets the branches of a race go that are not over; one of them has decided it.
    pub(super) fn lose_others(&mut self, fork: Id, decided_by: Option<Id>) {
        let Some(race) = self.race(fork) else { return };
        let losers = self.state.active.iter().filter(|(id, active)| {
            active.parent == fork && matches!(active.slot, Slot::Branch(_)) && Some(**id) != decided_by
        });
        for id in losers.map(|(id, _)| *id).collect::<Vec<_>>() {
            let error = Failure::new(&"".into(), "flow.race_lost", "another branch of the race was first");
            self.lose(id, race, error);
        }
    }

    /// A branch has failed that others outlive: its race is not decided by it.
    pub(super) fn outlived(&mut self, branch: Id, error: Failure) {
        let Some(fork) = self.state.active.get(&branch).map(|active| active.parent) else { return };
        let Some(race) = self.race(fork) else { return };
        if let Some(Frame::Fork { live, .. }) = self.frame_mut(fork) {
            *live = live.saturating_sub(1);
        }
        self.lose(branch, race, error);
    }

    fn lose(&mut self, id: Id, race: Race, error: Failure) {
        let Some(branch) = self.state.active.get_mut(&id) else { return };
        (branch.parent, branch.slot) = (ROOT, Slot::Loser);
        let undo = match (race.keeps_losers, self.state.start.language) {
            // Before there was a choice nothing of a loser was undone.
            (_, 0) => Undoing::Nothing,
            (true, _) => Undoing::Unknown,
            (false, _) if store::mutant("forget-loser") => Undoing::Nothing,
            (false, _) => Undoing::Everything,
        };
        self.drain(id, error, undo);
        self.paused_for_nothing();
    }

    /// A run that is paused for a step which went another way goes on.
    fn paused_for_nothing(&mut self) {
        let Some(Paused { step: Some(step), .. }) = &self.state.paused else { return };
        if self.state.leaves.contains_key(step) || self.state.start.language < 2 {
            return;
        }
        self.resume(false, None);
    }

    /// Every race between a failed step and the scope that takes its error is decided by that failure.
    pub(super) fn lose_around(&mut self, from: Id, scope: Id) {
        let mut at = from;
        while at != scope && at != ROOT {
            let Some(active) = self.state.active.get(&at) else { return };
            let (slot, parent) = (active.slot, active.parent);
            if matches!(slot, Slot::Branch(_)) {
                self.lose_others(parent, Some(at));
            }
            at = parent;
        }
    }

    /// Whether a branch may fail without deciding its race: only a success does, and another may still be one.
    pub(super) fn is_outlived(&self, branch: &Activation) -> bool {
        if !matches!(branch.slot, Slot::Branch(_)) {
            return false;
        }
        match self.state.active.get(&branch.parent).map(|fork| &fork.frame) {
            Some(Frame::Fork { race: Some(race), live, .. }) => race.needs_success && *live > 1,
            _ => false,
        }
    }

    fn race(&self, fork: Id) -> Option<Race> {
        match self.state.active.get(&fork).map(|fork| &fork.frame) {
            Some(Frame::Fork { race, .. }) => *race,
            _ => None,
        }
    }

    fn frame_mut(&mut self, id: Id) -> Option<&mut Frame> {
        self.state.active.get_mut(&id).map(|active| &mut active.frame)
    }
}
