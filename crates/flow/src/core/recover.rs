//! What a driver must do that has just read the state back, or whose timer is due.

use port::{Landed, Repeat};

use super::Decision;
use super::failure::Failure;
use super::frame::{At, Id, Slot};
use super::machine::Machine;
use crate::definition::Call;

impl Machine<'_> {
    /// What is to be done about every leaf, by a driver that has just read the state back.
    pub(super) fn outstanding(mut self) -> Vec<Decision> {
        for id in self.leaf_ids(|_| true) {
            self.recover(id);
        }
        if let (Some(ending), None) = (&self.state.ending, &self.state.ended) {
            self.out.push(Decision::End(Box::new(ending.clone())));
        }
        self.work_off();
        self.out
    }

    /// A step whose time comes while its run is paused is held until the run is resumed. One that was woken before
    /// its time is not asleep any more.
    pub(super) fn again(mut self, path: &str) -> Vec<Decision> {
        let asleep = self.leaf_ids(|at| matches!(at, At::Until(_)));
        if let Some(id) = self.state.leaves.get(path).copied().filter(|id| asleep.contains(id)) {
            self.decide(id);
        }
        self.work_off();
        self.out
    }

    /// What a driver that has just read the state back must do about a leaf.
    pub(super) fn recover(&mut self, id: Id) {
        let Some(active) = self.state.active.get(&id) else { return };
        let (path, orphan) = (active.path.clone(), active.slot == Slot::Orphan);
        let Some(leaf) = active.leaf().cloned() else { return };
        match leaf.at {
            At::Until(until) => self.out.push(Decision::Again { path: path.clone(), until }),
            At::Flying if leaf.intent && !leaf.probing && self.is_final(id) => {
                let error = Failure {
                    landed: Landed::Unknown,
                    kind: Some(port::Kind::Internal),
                    ..Failure::new(&path, "flow.interrupted", self.interrupted(id))
                };
                self.out.push(Decision::Interrupted { path: path.clone(), error });
            }
            At::Flying if leaf.child.is_none() => self.decide(id),
            At::Flying | At::Held | At::Waiting | At::Stuck => {}
        }
        if orphan {
            self.settle(id);
        }
    }

    fn is_final(&self, id: Id) -> bool {
        self.sent(id).is_some_and(|call| call.repeat == Repeat::Never)
    }

    fn interrupted(&self, id: Id) -> String {
        let said = "stopped between sending the call and writing its outcome";
        match self.sent(id).filter(|call| call.members.are_several()) {
            Some(call) => format!("{said}, so nobody knows which member of `{}` was asked", call.system),
            None => said.to_owned(),
        }
    }

    /// The call whose intent was written.
    fn sent(&self, id: Id) -> Option<&Call> {
        let active = self.state.active.get(&id)?;
        let task = active.task.as_deref()?;
        match active.leaf()?.undoes {
            Some(_) => task.compensate.as_ref().map(|undo| &undo.call),
            None => task.body.call(),
        }
    }
}
