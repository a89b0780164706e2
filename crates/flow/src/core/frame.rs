//! The activation tree of a run: who is active, whom it tells when it is done.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::failure::Failure;
use crate::definition::{Block, Race, Task};

/// An activation's name; they are given in order and never again.
pub(super) type Id = u32;

/// The root scope.
pub(super) const ROOT: Id = 0;

/// One active piece of a flow.
#[derive(Clone, Debug)]
pub(super) struct Activation {
    pub(super) parent: Id,
    pub(super) slot: Slot,
    /// The task it performs; `None` for the block of a scope or branch.
    pub(super) task: Option<Arc<Task>>,
    /// Unique in the run: the task's name, with the iterations it is in.
    pub(super) path: Arc<str>,
    /// What the paths of tasks below it begin with.
    pub(super) prefix: Arc<str>,
    pub(super) vars: Vars,
    pub(super) frame: Frame,
}

/// As what an activation stands below its parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    /// The next of a sequence, or the body of a scope.
    Body,
    /// One iteration of a loop.
    Iteration,
    /// One branch of a fork.
    Branch(usize),
    /// What a scope does with a caught error.
    Catch,
    /// Undoing one finished step.
    Undo,
    /// A call in flight when its scope went another way; its outcome is recorded and nothing follows.
    Orphan,
    /// A branch that lost its race, below the root: it is quiet first, then undone, beside what goes on.
    Loser,
}

#[derive(Clone, Debug)]
pub(super) enum Frame {
    Block { block: Block, next: usize, last: Arc<Value> },
    Loop { items: Vec<Value>, next: usize, outputs: Vec<Value> },
    Fork { outputs: serde_json::Map<String, Value>, live: usize, race: Option<Race> },
    Scope(Scope),
    Leaf(Box<Leaf>),
}

/// The root of a run, a `try`, or a branch of a race: what is undone for itself.
#[derive(Clone, Debug)]
pub(super) struct Scope {
    pub(super) stage: Stage,
    pub(super) rounds: u32,
    /// The scopes it is in, outermost first.
    pub(super) chain: Arc<[Id]>,
}

/// How far a scope has come.
#[derive(Clone, Debug)]
pub(super) enum Stage {
    Body,
    /// Waits for calls in flight before it goes another way.
    Draining {
        error: Failure,
        live: usize,
        undo: Undoing,
    },
    /// Undoes finished steps, the last one first; `queue` holds what is still to be undone, the next one last.
    Undoing {
        error: Failure,
        queue: Vec<usize>,
    },
    Catching,
    /// The run has done its steps, or given up with this error; losers of a race are still being undone.
    Finishing(Option<Failure>),
    Ended,
}

/// What is undone when a scope has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Undoing {
    Everything,
    /// Only steps of which nobody knows whether they landed.
    Unknown,
    Nothing,
}

/// A task that waits for the world.
#[derive(Clone, Debug, Default)]
pub(super) struct Leaf {
    pub(super) at: At,
    /// Index of the finished step that this one undoes.
    pub(super) undoes: Option<usize>,
    /// Stands for a whole task that could not be entered.
    pub(super) whole: bool,
    /// Asks for an outcome instead of performing the step.
    pub(super) probing: bool,
    /// Intent is written and no outcome is: the call may have been made.
    pub(super) intent: bool,
    /// The member that the last intent names.
    pub(super) asked: Option<Arc<str>>,
    /// After this nothing of the last send leaves the house.
    pub(super) leaves_until: Option<Timestamp>,
    /// How the system knew a repeat when it was first sent.
    pub(super) keyed_as: Option<Arc<str>>,
    /// An earlier send may have landed.
    pub(super) perhaps: bool,
    /// Before this, nothing proves that an earlier send did not land.
    pub(super) settles: Option<Timestamp>,
    /// What a later send was answered while nobody knew of an earlier one.
    pub(super) refusal: Option<Failure>,
    /// It was sent once more because a look-up found nothing of an earlier send.
    pub(super) resent: bool,
    /// Since when the system says that it is still at an earlier request with the same key.
    pub(super) unfinished: Option<Timestamp>,
    /// How often it was looked up whether the step landed, and since when.
    pub(super) looks: u32,
    pub(super) looking: Option<Timestamp>,
    /// All look-ups were made, and found nothing.
    pub(super) looked_out: bool,
    /// What the look-up before the step was sent found.
    pub(super) before: Option<Arc<Value>>,
    /// It has waited since it was entered: what goes on with it is written down.
    pub(super) waited: bool,
    pub(super) rounds: u32,
    pub(super) input: Option<Value>,
    /// The run that a `run` task waits for.
    pub(super) child: Option<String>,
    /// What it waits for, for people.
    pub(super) on: Option<Value>,
    /// The question it has asked.
    pub(super) question: Option<Arc<str>>,
    /// Events up to this position of the log do not count.
    pub(super) after: u64,
    /// The guard that keeps its call in.
    pub(super) guard: Option<port::Rejection>,
    /// Timers that are set.
    pub(super) timers: Vec<(super::timer::Timer, Timestamp)>,
}

/// Where a leaf stands.
#[derive(Clone, Debug, Default)]
pub(super) enum At {
    /// Not begun, because the run is paused.
    #[default]
    Held,
    /// Its call is out, or about to be.
    Flying,
    /// Its call is made again at this time.
    Until(Timestamp),
    /// For a timer, an answer, an event or a run.
    Waiting,
    /// Until the configuration has what it needs.
    Blocked,
    /// Until a person decides.
    Stuck,
}

/// Names bound by loops and catches, innermost first.
#[derive(Clone, Debug, Default)]
pub(super) struct Vars(Option<Arc<Bound>>);

#[derive(Debug)]
struct Bound {
    name: Arc<str>,
    value: Value,
    outer: Vars,
}

impl Vars {
    pub(super) const NONE: Self = Self(None);

    pub(super) fn bind(&self, name: &Arc<str>, value: Value) -> Self {
        Self(Some(Arc::new(Bound { name: name.clone(), value, outer: self.clone() })))
    }

    /// Outermost first, so that an inner name hides an outer one.
    pub(super) fn all(&self) -> Vec<(&str, &Value)> {
        let mut found = Vec::new();
        let mut here = &self.0;
        while let Some(bound) = here {
            found.push((&*bound.name, &bound.value));
            here = &bound.outer.0;
        }
        found.reverse();
        found
    }
}

impl Activation {
    pub(super) fn leaf(&self) -> Option<&Leaf> {
        match &self.frame {
            Frame::Leaf(leaf) => Some(leaf),
            _ => None,
        }
    }

    pub(super) fn leaf_mut(&mut self) -> Option<&mut Leaf> {
        match &mut self.frame {
            Frame::Leaf(leaf) => Some(leaf),
            _ => None,
        }
    }

    pub(super) fn scope_mut(&mut self) -> Option<&mut Scope> {
        match &mut self.frame {
            Frame::Scope(scope) => Some(scope),
            _ => None,
        }
    }
}
