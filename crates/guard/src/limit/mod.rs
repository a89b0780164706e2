//! So many calls per second. Says when a call may start; who must wait sleeps on its own, holding no lock.

mod bucket;
mod sliding;

use std::time::Duration;

use bucket::Bucket;
use sliding::Sliding;

use crate::policy::{self, Algorithm, Mode};
use crate::tick::{Tick, nanos};

/// A rate limit.
pub struct Limit {
    count: Count,
    weight: u32,
    capacity: u32,
    /// Nanoseconds.
    max_wait: u64,
}

enum Count {
    Bucket(Bucket),
    Sliding(Sliding),
}

/// The turn would come too late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMany {
    /// Come back after this long.
    pub retry_after: Duration,
}

impl Limit {
    /// A limit with all its tokens. `weight` and `capacity` are as [`policy::Policy::conflicts`] wants them.
    pub fn new(policy: &policy::Limit) -> Self {
        let capacity = policy.capacity.max(1);
        let count = match policy.algorithm {
            Algorithm::TokenBucket => Count::Bucket(Bucket::new(capacity, policy.refill_per_second)),
            Algorithm::SlidingWindow => Count::Sliding(Sliding::new(capacity, policy.refill_per_second)),
        };
        let max_wait = match policy.mode {
            Mode::Wait { max_wait } => nanos(max_wait),
            Mode::Reject => 0,
        };
        Self { count, weight: policy.weight.clamp(1, capacity), capacity, max_wait }
    }

    /// Takes a turn for one call, not before `from`, and not later than `most` and the policy's longest wait after
    /// `now`. Returns how long to wait for it. A turn that was taken is spent, also when the caller goes away.
    ///
    /// # Errors
    /// [`TooMany`]; nothing is spent.
    #[inline]
    pub fn take(&self, now: Tick, from: Tick, most: Option<Duration>) -> Result<Duration, TooMany> {
        self.take_for(1, now, from, most)
    }

    /// The same for a call that costs as much as so many; one that costs more than the capacity takes all of it.
    ///
    /// # Errors
    /// As for [`Limit::take`].
    #[inline]
    pub fn take_for(
        &self,
        cost: u32,
        now: Tick,
        from: Tick,
        most: Option<Duration>,
    ) -> Result<Duration, TooMany> {
        let weight = self.weight.saturating_mul(cost).min(self.capacity);
        let wait = most.map_or(self.max_wait, |most| nanos(most).min(self.max_wait));
        let (now, from) = (now.nanos(), from.nanos().max(now.nanos()));
        let turn = match &self.count {
            Count::Bucket(bucket) => bucket.take(from, weight, now.saturating_add(wait)),
            Count::Sliding(sliding) => sliding.take(from, weight, now.saturating_add(wait)),
        };
        match turn {
            Ok(turn) if turn <= now => Ok(Duration::ZERO),
            Ok(turn) => Ok(Duration::from_nanos(turn - now)),
            Err(turn) => Err(TooMany { retry_after: Duration::from_nanos(turn.saturating_sub(now)) }),
        }
    }

    /// Whole calls that could start at once.
    pub fn left(&self, now: Tick) -> u32 {
        let tokens = match &self.count {
            Count::Bucket(bucket) => bucket.left(now.nanos()),
            Count::Sliding(sliding) => sliding.left(now.nanos()),
        };
        tokens / self.weight
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
