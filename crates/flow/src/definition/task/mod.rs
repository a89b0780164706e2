//! One task of a flow: its modifiers, and one file per kind.

mod answer;
mod branch;
mod call;
mod fault;
mod members;
mod plain;
mod read;
mod say;
mod verify;

use std::sync::Arc;
use std::time::Duration;

use expr::{Mapping, Program};
use port::Repeat;

use super::{OnExhausted, Retry};

pub(crate) use members::Members;
pub(super) use read::{block, is_verb};

/// Tasks in sequence.
pub(crate) type Block = Arc<[Arc<Task>]>;

/// One task.
#[derive(Clone, Debug)]
pub(crate) struct Task {
    pub(crate) name: Arc<str>,
    pub(crate) verb: &'static str,
    pub(crate) when: Option<Program>,
    pub(crate) each: Option<Each>,
    pub(crate) body: Body,
    pub(crate) compensate: Option<Compensate>,
    /// It is said that the step is not undone: `compensate: none`.
    pub(crate) kept: bool,
    pub(crate) verify: Option<Verify>,
    /// What must hold of `before`, or the step fails without being sent.
    pub(crate) expect: Option<Program>,
    pub(crate) retry: Retry,
    pub(crate) timeout: Option<Duration>,
    pub(crate) on_exhausted: Option<OnExhausted>,
    /// Whether a message that is a dead letter lets the next of its key pass.
    pub(crate) skips_dead: bool,
}

/// `for: { each: item, in: … }`.
#[derive(Clone, Debug)]
pub(crate) struct Each {
    pub(crate) name: Arc<str>,
    pub(crate) over: Mapping,
}

/// What a task does.
#[derive(Clone, Debug)]
pub(crate) enum Body {
    Require(Vec<String>),
    Set(Mapping),
    Do { block: Block, otherwise: Option<Block> },
    Switch(Vec<(Option<Program>, Block)>),
    Fork { branches: Vec<(Arc<str>, Block)>, race: Option<Race> },
    Try(Try),
    Raise { code: Mapping, message: Mapping },
    Call(Call),
    Tell(Call),
    Publish { topic: Arc<str>, with: Option<Mapping> },
    Emit(Mapping),
    Ask(Utterance),
    Confirm(Utterance),
    Wait(Pause),
    Listen(Hears),
    Run { flow: Arc<str>, with: Option<Mapping> },
}

/// One operation of one system, and its input.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) system: Arc<str>,
    pub(crate) operation: Arc<str>,
    pub(crate) with: Option<Mapping>,
    pub(crate) repeat: Repeat,
    /// Whether there is such an operation; of a pinned definition it may have gone.
    pub(crate) known: bool,
    /// How its system knows a repeat; empty when that cannot change.
    pub(crate) keyed_as: Arc<str>,
    pub(crate) members: Members,
    /// How long after a call of unknown outcome its effect may still appear.
    pub(crate) settles: Duration,
    /// How long the system may say that it is still at an earlier request with the same key.
    pub(crate) in_progress: Duration,
}

/// How a step is undone.
#[derive(Clone, Debug)]
pub(crate) struct Compensate {
    pub(crate) call: Call,
    pub(crate) retry: Retry,
    pub(crate) timeout: Option<Duration>,
}

/// How to find out whether a step landed.
#[derive(Clone, Debug)]
pub(crate) struct Verify {
    pub(crate) call: Call,
    pub(crate) found: Option<Program>,
    pub(crate) output: Option<Mapping>,
    /// The same look-up is made before the step is sent; its answer is `before`.
    pub(crate) before: bool,
    /// How often, for how long, and what comes of finding nothing.
    pub(crate) looking: relay::Looking,
    /// The step landed when nothing is found (a removal).
    pub(crate) absent: bool,
}

/// What decides a `fork` whose branches race, and what becomes of the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Race {
    /// Only a branch that succeeds decides it, while one may.
    pub(crate) needs_success: bool,
    /// Losers are left as they are.
    pub(crate) keeps_losers: bool,
}

/// `try`, `retry`, `catch`.
#[derive(Clone, Debug)]
pub(crate) struct Try {
    pub(crate) block: Block,
    pub(crate) retry: Option<Retry>,
    pub(crate) catch: Option<Catch>,
}

/// What is done with an error instead of undoing the run.
#[derive(Clone, Debug)]
pub(crate) struct Catch {
    pub(crate) kinds: Vec<String>,
    pub(crate) when: Option<Program>,
    pub(crate) undo: bool,
    pub(crate) block: Block,
}

/// How long to wait.
#[derive(Clone, Debug)]
pub(crate) enum Pause {
    For(Mapping),
    Until(Mapping),
}

/// What to wait for.
#[derive(Clone, Debug)]
pub(crate) struct Hears {
    pub(crate) from: Answer,
    pub(crate) filter: Option<Program>,
    pub(crate) give_up: bool,
}

/// Where an awaited event comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Topic(Arc<str>),
    Signal(Arc<str>),
}

/// An `ask` or a `confirm`.
#[derive(Clone, Debug)]
pub(crate) struct Utterance {
    pub(crate) entity: Option<Mapping>,
    pub(crate) field: Option<Mapping>,
    pub(crate) text: Mapping,
    pub(crate) more: Option<Mapping>,
    /// What is shown beside the words.
    pub(crate) shows: Option<Mapping>,
    /// Who may answer.
    pub(crate) by: Option<Mapping>,
    pub(crate) on_timeout: OnTimeout,
}

/// What an answer that does not come means. A no is taken as it is with `Continue`, and fails the step otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnTimeout {
    Fail,
    /// The run goes on with `null`.
    Continue,
    /// Silence is a yes.
    Confirm,
}

impl Task {
    /// Whether it changes something in another system.
    pub(crate) fn acts(&self) -> bool {
        self.body.call().is_some_and(|call| call.repeat != Repeat::Safe)
    }
}

impl Body {
    /// The operation a call or tell names.
    pub(crate) fn call(&self) -> Option<&Call> {
        match self {
            Body::Call(call) | Body::Tell(call) => Some(call),
            _ => None,
        }
    }
}
