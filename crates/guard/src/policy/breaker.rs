//! When a system counts as down, and how it is asked again.

use std::num::NonZeroU32;
use std::time::Duration;

/// Stops asking a system that does not answer. Either trip opens it.
///
/// Failures are refused connections, timeouts, 5xx and unreadable answers. Successes are answers. Everything else
/// (other 4xx, our own defects, a caller that went away, a guard's rejection) says nothing about the system.
#[derive(Clone, Debug, PartialEq)]
pub struct Breaker {
    /// One breaker per what. Default: per system.
    pub per: Per,
    /// Opens after this many failures in a row. Default: 5.
    pub consecutive_failures: Option<NonZeroU32>,
    /// Opens when too many of the latest calls failed. Default: 50 % of at least 20 calls within 60 s.
    pub error_rate: Option<ErrorRate>,
    /// Opens when too many of the latest calls were slow. Counted over the error rate's window. Default: none.
    pub slow: Option<Slow>,
    /// How long it stays open the first time. Default: 60 s. At least 1 ms.
    pub open_for: Duration,
    /// Each time the system fails again while half open, it stays open this many times longer. Default: 2.
    pub open_multiplier: f64,
    /// The longest it stays open, a `Retry-After` included. Default: 5 min.
    pub max_open: Duration,
    /// Up to this part of the open time is added by chance, so that nodes do not probe together; the longest time
    /// is shortened by as much. Default: 0.1.
    pub open_jitter: f64,
    /// How it is asked again. Default: see [`HalfOpen`].
    pub half_open: HalfOpen,
    /// Most keys kept when there is a breaker, bulkhead or limit per tenant, model or operation; beyond it the idle ones
    /// are forgotten, and if none is idle, newcomers share one. Default: 1,024, also without a breaker.
    pub max_keys: u32,
}

impl Default for Breaker {
    fn default() -> Self {
        Self {
            per: Per::System,
            consecutive_failures: NonZeroU32::new(5),
            error_rate: Some(ErrorRate::default()),
            slow: None,
            open_for: Duration::from_secs(60),
            open_multiplier: 2.0,
            max_open: Duration::from_secs(300),
            open_jitter: 0.1,
            half_open: HalfOpen::default(),
            max_keys: 1_024,
        }
    }
}

/// What one breaker, bulkhead or limit stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Per {
    /// The whole system.
    System,
    /// Each operation.
    Operation,
    /// Each tenant.
    Tenant,
    /// Each model or endpoint: the text of the input that the operation's spec names ([`port::Operation::partition`]); calls
    /// without one are one more model.
    Model,
}

impl Per {
    /// `system`, `operation`, `tenant`, `model`.
    pub fn as_str(self) -> &'static str {
        match self {
            Per::System => "system",
            Per::Operation => "operation",
            Per::Tenant => "tenant",
            Per::Model => "model",
        }
    }
}

/// Too many of the latest calls failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorRate {
    /// Opens at this share of failures. Default: 50. Limit: 1–100.
    pub percent: u8,
    /// Which calls are the latest. Default: 60 s in 10 buckets.
    pub window: Window,
    /// No judgement on fewer calls. Default: 20.
    pub min_calls: NonZeroU32,
}

impl Default for ErrorRate {
    fn default() -> Self {
        Self {
            percent: 50,
            window: Window::Time { length: Duration::from_secs(60), buckets: 10 },
            min_calls: NonZeroU32::MIN.saturating_add(19),
        }
    }
}

/// Which calls are the latest. Older ones are forgotten, exactly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Window {
    /// The last so many calls. Limit: 1–512.
    Calls(u32),
    /// The calls of the last so long, forgotten a bucket at a time.
    Time {
        /// How far back. At least 10 ms per bucket.
        length: Duration,
        /// In how many steps it forgets. Limit: 1–16.
        buckets: u8,
    },
}

/// Too many of the latest calls were slow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slow {
    /// Opens at this share of slow calls. Limit: 1–100.
    pub percent: u8,
    /// A call is slow when it took longer.
    pub over: Duration,
}

/// How an open breaker finds out whether the system is back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HalfOpen {
    /// At most this many probes are out at once. Default: 1. Limit: 1–500.
    pub permits: u32,
    /// Closes after this many successful probes. Default: 1. Limit: 1–500.
    pub success_threshold: u32,
    /// Opens again when more than this share of `success_threshold` probes failed. Default: 0, the first failure.
    pub failure_percent: u8,
    /// Opens again when probes that are out have not come back by then. Default: 60 s. At least 1 ms.
    pub max_wait: Duration,
}

impl Default for HalfOpen {
    fn default() -> Self {
        Self { permits: 1, success_threshold: 1, failure_percent: 0, max_wait: Duration::from_secs(60) }
    }
}
