//! What a user wrote under `flows:`, compiled and checked. Knows no run and no state.

mod circles;
mod compile;
mod input;
mod known;
mod lacks;
mod limits;
mod reader;
mod shape;
mod task;
mod undo;

use std::sync::Arc;
use std::time::Duration;

use expr::Mapping;
use serde_json::Value;

pub use circles::circles;
pub use compile::compile;
pub(crate) use compile::revive;
pub use input::Input;
pub use known::{Known, KnownOperation};
pub(crate) use lacks::{Lack, LackOf};
pub(crate) use limits::Busy;
pub use limits::OnExhausted;
pub(crate) use limits::OnFault;
pub(crate) use limits::Retry;
pub use shape::shape;
pub(crate) use task::{
    Answer, Block, Body, Call, Compensate, Hears, Members, OnTimeout, Pause, Race, Task, Utterance, Verify,
};

/// One flow, compiled. Runs pin it by [`Definition::hash`].
#[derive(Clone, Debug)]
pub struct Definition {
    /// The flow's name.
    pub name: Arc<str>,
    /// Content hash of the canonical source, hexadecimal.
    pub hash: Arc<str>,
    /// What starts it; `None` for a flow that only `run:` or the API starts.
    pub on: Option<Trigger>,
    /// The longest a run should take; exceeding it is an event, not an abort.
    pub sla: Option<Duration>,
    pub(crate) source: Arc<Value>,
    pub(crate) key: Option<Mapping>,
    /// The key space that it shares with other flows.
    pub(crate) space: Option<Arc<str>>,
    pub(crate) busy: Busy,
    /// Of each of these keys one run ever begins, in its key space when that is shared.
    pub(crate) once: Option<Mapping>,
    pub(crate) once_space: Option<Arc<str>>,
    pub(crate) result: Option<Mapping>,
    pub(crate) on_exhausted: OnExhausted,
    pub(crate) on_fault: OnFault,
    /// How many runs of it may stand below one another; `None` leaves it to what bounds all runs.
    pub(crate) recursion: Option<u32>,
    /// What its steps start, as far as that is written out.
    pub(crate) starts: Vec<circles::Start>,
    pub(crate) tasks: Block,
}

/// What starts a flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// A commit act for this system and action. `None` matches any.
    Commit {
        /// The commit's `system`, with `-` read as `_`.
        system: Option<String>,
        /// The commit's `action`.
        action: Option<String>,
    },
}
