//! Who is told of every transition: metrics, logs, live views.

use store::RunStatus;

/// Is told of every journal entry after it is durable. Must not block.
pub trait Listener: Send + Sync + 'static {
    /// One journal entry was written.
    fn wrote(&self, transition: &Transition<'_>);
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
    /// The entry's name: `StepSucceeded`, `RunEnded`, …
    pub event: &'static str,
    /// The step it is about.
    pub step: Option<&'a str>,
    /// The system which that step calls.
    pub system: Option<&'a str>,
    /// Where the run stands after it.
    pub status: RunStatus,
}

/// Listens to nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silence;

impl Listener for Silence {
    fn wrote(&self, _transition: &Transition<'_>) {}
}
