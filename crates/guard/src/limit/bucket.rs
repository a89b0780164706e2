//! A token bucket in one word (GCRA): the word is the time at which the bucket would be full again.

use crate::sync::{AtomicU64, Ordering};

pub(super) struct Bucket {
    /// When the bucket is full again, in ticks. In the past: it is full.
    full_at: AtomicU64,
    /// Nanoseconds per token.
    token: u64,
    /// Nanoseconds to fill an empty bucket.
    depth: u64,
}

impl Bucket {
    pub(super) fn new(capacity: u32, per_second: f64) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a rate is above zero; `as` saturates"
        )]
        let token = ((1e9 / per_second) as u64).max(1);
        Self { full_at: AtomicU64::new(0), token, depth: token.saturating_mul(u64::from(capacity)) }
    }

    /// Takes `weight` tokens. Returns when they are there; if that is after `latest`, nothing is taken and it is an
    /// error.
    #[inline]
    pub(super) fn take(&self, from: u64, weight: u32, latest: u64) -> Result<u64, u64> {
        let cost = self.token.saturating_mul(u64::from(weight));
        let mut seen = self.full_at.load(Ordering::Relaxed);
        loop {
            let next = seen.max(from).saturating_add(cost);
            let turn = next.saturating_sub(self.depth).max(from);
            if turn > latest {
                return Err(turn);
            }
            match self.full_at.compare_exchange_weak(seen, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Ok(turn),
                Err(other) => seen = other,
            }
        }
    }

    pub(super) fn left(&self, now: u64) -> u32 {
        let missing = self.full_at.load(Ordering::Relaxed).saturating_sub(now);
        u32::try_from(self.depth.saturating_sub(missing) / self.token).unwrap_or(u32::MAX)
    }
}
