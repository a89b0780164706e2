//! What a store of counts is.

use std::fmt;
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::Key;
use crate::limit::TooMany;
use crate::policy::{self, Algorithm};

/// Counts for all nodes. Every call is one atomic step by the store's own clock; nodes need not agree on the time.
pub trait Ledger: Send + Sync + 'static {
    /// Takes a turn for one call of `key`, at most `wait` from now: `Ok(how long to wait for it)`. A turn that was
    /// taken is spent, also when the caller goes away; turns of calls that wait are in order, and nobody waits behind
    /// a lock. A count that the store does not know yet is full.
    ///
    /// Cancel-safe: dropping the future may spend the turn, and harms nothing else.
    fn take<'a>(&'a self, key: &'a Key, rule: &'a Rule, wait: Duration) -> BoxFuture<'a, Answer>;

    /// No answer came in time: a connection that is there may be dead.
    fn suspect(&self) {}
}

/// A turn or a refusal that says when to come back; or the store is away.
pub type Answer = Result<Result<Duration, TooMany>, Away>;

/// The store cannot be asked. Says why, and never a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Away(pub String);

impl fmt::Display for Away {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Away {}

/// What one count allows, in the units of the stores.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rule {
    /// Calls at once.
    pub capacity: u32,
    /// Calls per second in the long run; also micro-tokens per microsecond.
    pub refill_per_second: f64,
    /// What one call takes; at most the capacity.
    pub weight: u32,
    /// How calls are counted.
    pub algorithm: Algorithm,
}

/// Counts are kept at least this long after their last call (requirement RL-1).
const KEEP: Duration = Duration::from_secs(3_600);

/// The longest a turn may be ahead ([`policy::Policy::conflicts`]).
const LONGEST_WAIT: Duration = Duration::from_secs(3_600);

impl Rule {
    /// The rule of a policy.
    pub fn new(policy: &policy::Limit) -> Self {
        let capacity = policy.capacity.max(1);
        Self {
            capacity,
            refill_per_second: policy.refill_per_second.max(1e-6),
            weight: policy.weight.clamp(1, capacity),
            algorithm: policy.algorithm,
        }
    }

    /// The same for a call that costs as much as so many; at most all of it.
    pub(super) fn costing(&self, cost: u32) -> Self {
        Self { weight: self.weight.saturating_mul(cost).min(self.capacity), ..*self }
    }

    /// The sliding window, and the time in which an empty bucket fills.
    pub fn window(&self) -> Duration {
        Duration::try_from_secs_f64(f64::from(self.capacity) / self.refill_per_second)
            .unwrap_or(Duration::MAX)
    }

    /// How long the store must remember a count: forgetting it earlier would give its calls back too soon.
    pub fn keep(&self) -> Duration {
        KEEP.max(self.window().saturating_add(LONGEST_WAIT))
    }

    /// A turn further ahead than this was given by a clock that has been set back since.
    pub fn furthest(&self) -> Duration {
        self.window().saturating_add(LONGEST_WAIT)
    }
}
