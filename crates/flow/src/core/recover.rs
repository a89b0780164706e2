//! What a driver must do that has just read the state back, or whose timer is due.

use std::sync::Arc;

use port::{Landed, Repeat};

use super::Decision;
use super::failure::Failure;
use super::frame::{At, Id, Leaf, Slot};
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
        let (asleep, blocked) = (|at: &At| matches!(at, At::Until(_)), |at: &At| matches!(at, At::Blocked));
        match self.state.leaf(path).map(|leaf| &leaf.at).zip(self.state.leaves.get(path).copied()) {
            Some((at, id)) if asleep(at) && self.must_not_repeat(path, id) => self.interrupted(id, None),
            Some((at, id)) if asleep(at) => self.decide(id),
            Some((at, id)) if blocked(at) => self.unblock(id),
            Some(_) | None => {}
        }
        self.work_off();
        self.out
    }

    /// What a driver that has just read the state back must do about a leaf.
    pub(super) fn recover(&mut self, id: Id) {
        let Some(active) = self.state.active.get(&id) else { return };
        let (path, orphan) = (active.path.clone(), active.slot == Slot::Orphan);
        let Some(leaf) = active.leaf().cloned() else { return };
        if !orphan {
            self.go_on(id, path, leaf);
        }
        self.ask_child_again(id);
        if orphan {
            self.settle(id);
        }
    }

    fn go_on(&mut self, id: Id, path: Arc<str>, leaf: Leaf) {
        match leaf.at {
            At::Blocked if self.state.paused.is_none() => self.out.push(Decision::LookAgain { path }),
            At::Blocked => {}
            At::Flying if leaf.whole => self.reenter(id),
            At::Flying if leaf.intent && !leaf.probing && self.is_gone(id).is_some() => {
                let missing = self.is_gone(id).unwrap_or_default();
                self.hold_gone(&path, missing);
            }
            At::Until(until) => self.out.push(Decision::Again { path, until }),
            At::Flying if leaf.intent && !leaf.probing => self.interrupted(id, leaf.asked),
            At::Flying if self.may_be_out(&leaf) => self.repeat(id),
            // No intent is written, so nothing has left.
            At::Flying if leaf.child.is_none() => self.decide(id),
            At::Flying | At::Held | At::Waiting | At::Stuck => {}
        }
    }

    /// A call went out and nothing tells what became of it. Whoever was asked is asked again if it says that this is
    /// safe there; nobody else is, who would act as well.
    fn interrupted(&mut self, id: Id, asked: Option<Arc<str>>) {
        let (Some(path), Some(call)) = (self.path(id), self.call_out(id)) else { return };
        let several = call.members.are_several();
        let repeat = match &asked {
            Some(member) if several => call.members.repeat_at(member),
            Some(_) | None => call.repeat,
        };
        if repeat == Repeat::Never || self.state.is_keyed_otherwise(&path, call) {
            let said = interruption(call, asked.as_deref());
            let error = Failure {
                landed: Landed::Unknown,
                kind: Some(port::Kind::Internal),
                member: asked,
                ..Failure::new(&path, "flow.interrupted", said)
            };
            return self.out.push(Decision::Interrupted { path, error });
        }
        if let Some(member) = asked.filter(|_| several) {
            self.state.members.insert(path, member);
        }
        self.repeat(id);
    }

    /// Whether what waits to be sent again may have landed when its system knew a repeat by something else.
    fn must_not_repeat(&self, path: &str, id: Id) -> bool {
        let probing = self.state.leaf(path).is_some_and(|leaf| leaf.probing);
        !probing && self.call_out(id).is_some_and(|call| self.state.is_keyed_otherwise(path, call))
    }

    /// Makes a leaf's call again that may have been out when the process ended.
    fn repeat(&mut self, id: Id) {
        let known = self.out.len();
        self.decide(id);
        for decision in &mut self.out[known..] {
            if let Decision::Call(effect) = decision {
                effect.perhaps |= !effect.purpose.asks();
            }
        }
    }

    fn path(&self, id: Id) -> Option<Arc<str>> {
        self.state.active.get(&id).map(|active| active.path.clone())
    }

    /// The call whose intent was written.
    pub(super) fn call_out(&self, id: Id) -> Option<&Call> {
        let active = self.state.active.get(&id)?;
        let task = active.task.as_deref()?;
        match active.leaf()?.undoes {
            Some(_) => task.compensate.as_ref().map(|undo| &undo.call),
            None => task.body.call(),
        }
    }
}

fn interruption(call: &Call, asked: Option<&str>) -> String {
    let said = "stopped between sending the call and writing its outcome";
    match asked {
        Some(member) => format!("{said}; `{member}` was asked"),
        None if call.members.are_several() => {
            format!("{said}, so nobody knows which member of `{}` was asked", call.system)
        }
        None => said.to_owned(),
    }
}
