//! What a system or an operation may ask for beyond the usual stages.

use std::num::NonZeroU32;
use std::time::Duration;

/// Sends a second copy of a slow call and takes the answer that comes first. Safe operations only; every extra copy
/// passes all stages and pays the retry budget.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hedge {
    /// How long to wait for one copy before sending the next.
    pub after: Duration,
    /// Copies in all. Default: 2. Limit: 2–5.
    pub max: u32,
}

/// Uses an earlier answer again. Safe operations only; one tenant never sees another's answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cache {
    /// How long an answer is fresh.
    pub ttl: Duration,
    /// How much longer it may be served while the system does not answer. Default: 0.
    pub stale: Duration,
    /// Most answers kept; the one nearest to its end goes first. Default: 1,000.
    pub entries: NonZeroU32,
}

/// Collects single items into one call; see [`crate::batch`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Sent when this many are there. Default: 100.
    pub size: NonZeroU32,
    /// Sent when the first has waited this long. Default: 5 s.
    pub timeout: Duration,
    /// Batches out at once; beyond it items wait. More than one may overtake each other. Default: 1.
    pub in_flight: NonZeroU32,
    /// Items that may wait for a batch; beyond it `push` waits. Default: 1,000.
    pub queue: NonZeroU32,
}

impl Default for Batch {
    fn default() -> Self {
        Self {
            size: NonZeroU32::MIN.saturating_add(99),
            timeout: Duration::from_secs(5),
            in_flight: NonZeroU32::MIN,
            queue: NonZeroU32::MIN.saturating_add(999),
        }
    }
}
