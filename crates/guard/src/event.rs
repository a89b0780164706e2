//! What a guard tells whoever watches it.

use std::time::Duration;

use port::{Fault, Rejection};

use crate::policy::Fallback;
use crate::shared::Away;

/// Hears every event of every guard. Called on the path of the call: count and log, never block.
pub trait Listener: Send + Sync + 'static {
    /// Something happened.
    fn hear(&self, event: &Event<'_>);
}

/// Hears nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Deaf;

impl Listener for Deaf {
    fn hear(&self, _event: &Event<'_>) {}
}

/// Which system, operation and key an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// The configured system.
    pub system: &'a str,
    /// The operation called.
    pub operation: &'a str,
    /// The breaker's key: the operation, tenant or model; the system's name when there is one for all.
    pub key: &'a str,
}

/// Something that happened.
#[derive(Clone, Debug)]
pub enum Event<'a> {
    /// An attempt leaves the house.
    AttemptStarted {
        /// Where.
        place: &'a Place<'a>,
        /// From 1.
        attempt: u32,
    },
    /// An attempt came back.
    AttemptFinished {
        /// Where.
        place: &'a Place<'a>,
        /// From 1.
        attempt: u32,
        /// How it went.
        outcome: Result<(), &'a Fault>,
        /// How long it was out.
        duration: Duration,
    },
    /// The call will be tried again after a wait.
    RetryScheduled {
        /// Where.
        place: &'a Place<'a>,
        /// The attempt to come, from 2.
        attempt: u32,
        /// The wait before it.
        delay: Duration,
        /// Why.
        fault: &'a Fault,
    },
    /// The call would be tried again, but the budget is spent.
    BudgetSpent {
        /// Where.
        place: &'a Place<'a>,
    },
    /// A second copy of a slow call was sent.
    Hedged {
        /// Where.
        place: &'a Place<'a>,
    },
    /// A copy of a hedged call was dropped while it was out: another was quicker, or the caller went away. It says
    /// nothing about the system, and may have landed.
    CopyDropped {
        /// Where.
        place: &'a Place<'a>,
        /// Which attempt it was.
        attempt: u32,
        /// How long it was out.
        duration: Duration,
    },
    /// A breaker changed its state.
    Transition {
        /// Where.
        place: &'a Place<'a>,
        /// From which state.
        from: State,
        /// To which state.
        to: State,
        /// How long it stays open, when it opened.
        open_for: Option<Duration>,
    },
    /// A guard kept a call in.
    Rejected {
        /// Where.
        place: &'a Place<'a>,
        /// Which guard; its name is the flow's `blocked_on`.
        by: Rejection,
        /// When it makes sense to come back.
        retry_after: Option<Duration>,
    },
    /// The system asked for a pause, and nothing is sent before it ends.
    Paused {
        /// Where.
        place: &'a Place<'a>,
        /// How long.
        pause: Duration,
    },
    /// The store of shared limits went away, or is back. While it is away each limit's fallback applies.
    LimitStore {
        /// Its name.
        store: &'a str,
        /// Why it is away; `None` when it is back.
        away: Option<&'a Away>,
    },
    /// A shared limit's store did not answer, so the fallback decided.
    LimitFallback {
        /// Where.
        place: &'a Place<'a>,
        /// The store's name.
        store: &'a str,
        /// What decided.
        fallback: Fallback,
    },
    /// The caller went away before the call was over: what was out is dropped, and may have landed.
    CallAbandoned {
        /// Where.
        place: &'a Place<'a>,
        /// Attempts made.
        attempts: u32,
        /// How long it took, waits included.
        duration: Duration,
    },
    /// The whole call is over.
    CallFinished {
        /// Where.
        place: &'a Place<'a>,
        /// Attempts made.
        attempts: u32,
        /// How it went.
        outcome: Result<(), &'a Fault>,
        /// How long it took, waits included.
        duration: Duration,
    },
}

/// The state of a breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Calls pass.
    Closed,
    /// Calls are rejected.
    Open,
    /// A few calls pass, to find out whether the system is back.
    HalfOpen,
}

impl State {
    /// `closed`, `open`, `half_open`.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Closed => "closed",
            State::Open => "open",
            State::HalfOpen => "half_open",
        }
    }

    /// The value of the gauge `circuit_breaker_state`: 0 closed, 1 open, 2 half open.
    pub fn rag_gauge(self) -> u8 {
        match self {
            State::Closed => 0,
            State::Open => 1,
            State::HalfOpen => 2,
        }
    }

    /// The value of the gauge `integration_circuit_breaker_state`: 0 closed, 1 half open, 2 open.
    pub fn fsm_gauge(self) -> u8 {
        match self {
            State::Closed => 0,
            State::HalfOpen => 1,
            State::Open => 2,
        }
    }
}
