//! Which member of a group acted for a step: what follows (verifying, sending again, undoing) goes to it alone.
//!
//! A member is a configured system itself, so its call simply names it. A key is known to one member only: at that one a
//! `keyed` operation may be repeated, through the group it may not.

use std::sync::Arc;

use super::event::Event;
use super::failure::Failure;
use super::machine::Machine;
use super::state::State;
use super::{Effect, Purpose};
use crate::definition::{Call, Verify};

impl State {
    /// The member that a call of this path is for; `None` when any will do, or nobody knows.
    pub(crate) fn member(&self, path: &str, purpose: Purpose, call: &Call) -> Option<&Arc<str>> {
        let own = if purpose == Purpose::Undo { self.members.get(path) } else { None };
        own.or_else(|| {
            let done = self.task(path)?.body.call()?;
            self.members.get(step_of(path)).filter(|_| done.shares_system(call))
        })
    }

    /// Whether it can be found out what became of a step: there is an operation for it, and if it asks the step's own
    /// group, it is known whom to ask.
    pub(crate) fn can_verify(&self, path: &str, error: &Failure) -> bool {
        let Some(task) = self.task(path) else { return false };
        let (Some(verify), Some(done)) = (&task.verify, task.body.call()) else { return false };
        error.member.is_some() || self.may_look(path, done, verify)
    }

    /// Whether a look-up can be made for a step: when it asks the step's own group, its member must be known.
    pub(super) fn may_look(&self, path: &str, done: &Call, verify: &Verify) -> bool {
        let anyone = !verify.call.members.are_several() || !done.shares_system(&verify.call);
        anyone || self.members.contains_key(step_of(path))
    }

    /// Whether undoing would have to go to a member that nobody knows. Doing the same again may go to any.
    pub(super) fn cannot_undo(&self, path: &str, undo: &Call) -> bool {
        let Some(done) = self.task(path).and_then(|task| task.body.call()) else { return false };
        let elsewhere = undo.members.are_several() && done.shares_system(undo);
        elsewhere && done.operation != undo.operation && self.member(path, Purpose::Undo, undo).is_none()
    }

    /// The member that a path's own call must go to; see [`State::call`].
    pub(crate) fn acted(&self, path: &str) -> Option<&Arc<str>> {
        let purpose = if path.ends_with("/undo") { Purpose::Undo } else { Purpose::Do };
        self.member(path, purpose, self.call(path)?)
    }

    /// The call that an active path makes now: to find out whether its step landed, or else [`State::call`].
    pub(crate) fn asked(&self, path: &str) -> Option<&Call> {
        let leaf = self.leaf(path).filter(|leaf| leaf.probing);
        let task = self.task(path)?;
        match (leaf, &task.verify) {
            (None, _) => self.call(path),
            (Some(leaf), Some(verify)) if leaf.undoes.is_none() => Some(&verify.call),
            (Some(_), _) => task.body.call(),
        }
    }

    /// The system that an active path asks now: the one it names, or the member of it that must be asked.
    pub(crate) fn asked_at(&self, path: &str) -> Option<Arc<str>> {
        let call = self.asked(path)?;
        let purpose = match (path.ends_with("/undo"), self.verifies(path)) {
            (false, false) => Purpose::Do,
            (false, true) => Purpose::Verify,
            (true, false) => Purpose::Undo,
            (true, true) => Purpose::Recall,
        };
        Some(self.member(path, purpose, call).unwrap_or(&call.system).clone())
    }
}

impl Machine<'_> {
    /// Remembers who acted, or may have, as an event says.
    pub(super) fn acted(&mut self, event: &Event) {
        let (Some(path), Some(member)) = (event.path(), event.member()) else { return };
        self.state.members.insert(path.clone(), member.clone());
        self.with_record(path, |record| record.member = Some(member.clone()));
    }

    /// Nothing is there any more: done again, any member may do it.
    pub(super) fn forget_member(&mut self, path: &str) {
        self.state.members.remove(path);
        self.state.members.remove(step_of(path));
    }
}

impl Effect {
    /// The member that the outcome of this call is about. One that only asks says nothing new.
    pub(super) fn acted(&self, told: Option<Arc<str>>) -> Option<Arc<str>> {
        if self.purpose.asks() { None } else { told.or_else(|| self.member.clone()) }
    }
}

/// The step that a path is about: its own, or the one that it undoes.
pub(crate) fn step_of(path: &str) -> &str {
    path.strip_suffix("/undo").unwrap_or(path)
}

#[cfg(test)]
mod tests;
