//! How many calls at once, and how many per second.

use std::time::Duration;

use super::{Per, Shared};

/// Keeps a slow system from taking every worker: so many calls out, so many waiting, no more.
#[derive(Clone, Debug, PartialEq)]
pub struct Bulkhead {
    /// One bulkhead per what. Default: per system.
    pub per: Per,
    /// Calls out at once. Default: 64. Limit: 1–65,535.
    pub max_in_flight: u32,
    /// Calls waiting for a place. Default: 64. `0` rejects at once. Limit: 65,535.
    pub queue: u32,
    /// The longest a call waits for a place. Default: 1 s.
    pub max_wait: Duration,
    /// Finds the right number of calls by watching answer times. Default: none, `max_in_flight` stands.
    pub adaptive: Option<Adaptive>,
}

impl Default for Bulkhead {
    fn default() -> Self {
        Self {
            per: Per::System,
            max_in_flight: 64,
            queue: 64,
            max_wait: Duration::from_secs(1),
            adaptive: None,
        }
    }
}

/// Adaptive concurrency, after Envoy's gradient: the limit follows the ratio of the answer time with few calls out to
/// that of the latest answers. It moves between `min` and the bulkhead's `max_in_flight`. The time with few calls out is
/// learned while half of the limit is not used; only while answers take too long is it measured on purpose, at most
/// every seven to ten seconds and for two answer times, with a third of the calls out.
#[derive(Clone, Debug, PartialEq)]
pub struct Adaptive {
    /// Never fewer. Default: 4.
    pub min: u32,
    /// Where it starts. Default: 16.
    pub initial: u32,
    /// An answer may take this many times as long as with few calls out before the limit shrinks. Default: 1.5.
    pub tolerance: f64,
}

impl Default for Adaptive {
    fn default() -> Self {
        Self { min: 4, initial: 16, tolerance: 1.5 }
    }
}

/// Who goes first in a queue. When it is full, the last of those less urgent is turned away for a newcomer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// Before all others: compensation, a person waiting.
    High,
    /// The usual.
    Normal,
    /// After all others: bulk loads, replays.
    Low,
}

/// Keeps to the rate a system allows.
#[derive(Clone, Debug, PartialEq)]
pub struct Limit {
    /// One limit per what. Default: per system.
    pub per: Per,
    /// Calls that may start at once after a quiet time. Limit: 1–100,000 (sliding window: 10,000).
    pub capacity: u32,
    /// Calls per second in the long run. For `N` per `W` this is `N / W`. Limit: above 0, at most 1,000,000.
    pub refill_per_second: f64,
    /// What one call takes, times what its operation costs ([`port::Operation::cost`]). More than `capacity` is a mistake in the configuration. Default: 1.
    pub weight: u32,
    /// What happens when nothing is left.
    pub mode: Mode,
    /// How calls are counted. Default: token bucket.
    pub algorithm: Algorithm,
    /// Counted over all nodes. Default: none, each node counts alone.
    pub shared: Option<Shared>,
}

/// What happens when nothing is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Wait for the call's turn, at most this long; each call has its own turn, none waits behind another's lock.
    Wait {
        /// A longer turn is rejected at once.
        max_wait: Duration,
    },
    /// Reject at once, saying when to come back.
    Reject,
}

/// How calls are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// `capacity` at once, then `refill_per_second` (GCRA: one word per key).
    TokenBucket,
    /// Never more than `capacity` in any stretch of `capacity / refill_per_second` seconds (8 bytes per call).
    SlidingWindow,
}
