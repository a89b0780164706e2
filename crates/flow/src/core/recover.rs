//! What a driver must do that has just read the state back, or whose timer is due.

use port::{Landed, Repeat};

use super::Decision;
use super::failure::Failure;
use super::frame::{At, Id, Slot};
use super::machine::Machine;

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

    pub(super) fn again(mut self, path: &str) -> Vec<Decision> {
        if let Some(id) = self.state.leaves.get(path).copied()
            && self.state.paused.is_none()
        {
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
                    ..Failure::new(
                        &path,
                        "flow.interrupted",
                        "stopped between sending the call and writing its outcome",
                    )
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
        let Some(active) = self.state.active.get(&id) else { return false };
        let Some(task) = active.task.as_deref() else { return false };
        let call = match active.leaf().and_then(|leaf| leaf.undoes) {
            Some(_) => task.compensate.as_ref().map(|undo| &undo.call),
            None => task.body.call(),
        };
        call.is_some_and(|call| call.repeat == Repeat::Never)
    }
}
