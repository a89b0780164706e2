//! Who is told of every transition: metrics, logs, live views.

use std::time::Duration;

use port::{Recorder, Rejection, TraceContext, Unrecorded};
use store::{DeadLetter, RunStatus};

use crate::Failure;

/// Is told of every journal entry after it is durable. Must not block.
pub trait Listener: Send + Sync + 'static {
    /// One journal entry was written.
    fn wrote(&self, transition: &Transition<'_>);

    /// A `tell` exhausted its attempts after its run had gone on, and became a dead letter.
    fn undeliverable(&self, letter: &DeadLetter) {
        let _ = letter;
    }

    /// Who takes the spans of runs and their steps.
    fn recorder(&self) -> &dyn Recorder {
        &Unrecorded
    }
}

/// One journal entry.
#[derive(Clone, Copy, Debug)]
pub struct Transition<'a> {
    /// The run.
    pub run: &'a str,
    /// Its flow.
    pub flow: &'a str,
    /// On whose behalf.
    pub tenant: &'a str,
    /// One id for everything that one request set in motion.
    pub correlation: &'a str,
    /// The span of the step, or of the run.
    pub span: Option<TraceContext>,
    /// The entry's name: `StepSucceeded`, `RunEnded`, …
    pub event: &'static str,
    /// The step it is about.
    pub step: Option<&'a str>,
    /// The system which that step calls.
    pub system: Option<&'a str>,
    /// The operation which that step calls.
    pub operation: Option<&'a str>,
    /// How long the call took that the entry is the outcome of.
    pub took: Option<Duration>,
    /// The guard that kept the call in.
    pub rejection: Option<Rejection>,
    /// Why the call, or the run, failed.
    pub failure: Option<&'a Failure>,
    /// Where the run stands after it.
    pub status: RunStatus,
}

/// Listens to nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silence;

impl Listener for Silence {
    fn wrote(&self, _transition: &Transition<'_>) {}
}
