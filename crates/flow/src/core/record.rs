//! What is remembered of each step, for compensation and for people.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::answered::Answered;
use super::failure::Failure;
use super::frame::{Id, Vars};
use crate::definition::{Body, Call, Task};

/// A step as people see it.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) path: Arc<str>,
    pub(crate) task: Arc<Task>,
    pub(crate) status: RecordStatus,
    pub(crate) started: Timestamp,
    pub(crate) ended: Option<Timestamp>,
    pub(crate) ms: Option<u64>,
    pub(crate) attempts: u32,
    /// The member that acted, when its system is a group.
    pub(crate) member: Option<Arc<str>>,
    /// What the protocol said of the answer.
    pub(crate) answered: Option<Answered>,
    pub(crate) output: Option<Arc<Value>>,
    pub(crate) error: Option<Failure>,
    /// Earlier rounds, oldest first.
    pub(crate) history: Vec<(Timestamp, Failure)>,
    /// Look-ups of whether it landed, oldest first.
    pub(crate) looks: Vec<Look>,
    /// A person who said what became of it.
    pub(crate) settled: Option<super::Author>,
    /// What they said: whether it landed. Nothing once it was sent again.
    pub(crate) settled_as: Option<bool>,
    /// When it was first sent.
    pub(crate) sent: Option<Timestamp>,
}

impl Record {
    /// Whether this is an effect: a call that changes something in another system, and neither an undo nor a loop of calls.
    pub(crate) fn is_effect(&self) -> bool {
        let loops = self.task.each.is_some() && !self.path.ends_with(']');
        self.task.acts() && !loops && !self.path.ends_with("/undo")
    }

    /// The call by which a run that a step began is undone, instead of by itself: an effect of its own, for its step has none.
    pub(crate) fn own_undo(&self) -> Option<&Call> {
        let own = matches!(self.task.body, Body::Run { .. }) && self.path.ends_with("/undo");
        self.task.compensate.as_ref().filter(|_| own).map(|undo| &undo.call)
    }
}

impl Record {
    /// Whether this is a run that the step began, or several in a loop.
    pub(crate) fn is_child(&self) -> bool {
        let loops = self.task.each.is_some() && !self.path.ends_with(']');
        matches!(self.task.body, Body::Run { .. }) && !loops && !self.path.ends_with("/undo")
    }
}

/// One look-up of whether a step landed.
#[derive(Clone, Debug)]
pub(crate) struct Look {
    pub(crate) at: Timestamp,
    /// Whether it was there; `None` when it could not be looked up.
    pub(crate) found: Option<bool>,
    pub(crate) answer: Option<Arc<Value>>,
}

/// How a step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RecordStatus {
    Running,
    Waiting,
    Blocked,
    Succeeded,
    Failed,
    Unknown,
    Skipped,
    Compensated,
    Parked,
    Dropped,
}

/// A step that has, or may have, acted on the world.
#[derive(Clone, Debug)]
pub(super) struct Done {
    pub(super) path: Arc<str>,
    pub(super) task: Arc<Task>,
    pub(super) vars: Vars,
    pub(super) output: Arc<Value>,
    /// The run that it began.
    pub(super) child: Option<String>,
    /// Whether it is known to have landed.
    pub(super) known: bool,
    /// Before this, nothing proves that it did not land.
    pub(super) settles: Option<Timestamp>,
    pub(super) undo: Undo,
    /// Until when an undoing may still land that was sent and of which nobody knows whether it did.
    pub(super) undo_settles: Option<Timestamp>,
    /// The scopes it was done in, outermost first.
    pub(super) chain: Arc<[Id]>,
}

/// Whether a finished step has been undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Undo {
    /// Not, and it could be.
    Pending,
    Compensated,
    /// It could not be.
    Parked,
    /// It is not, and nobody knows whether it landed.
    InDoubt,
    /// Nothing landed after all.
    Nothing,
}

impl Undo {
    /// Whether a person has to look at it when the run comes to its end.
    pub(super) fn is_left(self) -> bool {
        matches!(self, Self::Parked | Self::InDoubt)
    }
}
