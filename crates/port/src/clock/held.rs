//! A clock that stands still while tokio's does, for tests that live through years.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};

use super::Clock;

/// Follows tokio's time, which a test pauses and which then moves only when everybody waits. The wall clock can be made
/// to jump; the monotonic clock cannot.
#[derive(Debug)]
pub struct HeldClock {
    start: Timestamp,
    origin: tokio::time::Instant,
    /// By how much the wall clock was set, in nanoseconds.
    jumped: AtomicI64,
}

impl HeldClock {
    /// Says `start` now. To be made within the runtime whose time it follows.
    pub fn new(start: Timestamp) -> Self {
        Self { start, origin: tokio::time::Instant::now(), jumped: AtomicI64::new(0) }
    }

    /// Sets the wall clock forward, or back when `by` is negative.
    pub fn jump(&self, by: SignedDuration) {
        let by = i64::try_from(by.as_nanos()).unwrap_or_default();
        self.jumped.fetch_add(by, Ordering::SeqCst);
    }
}

impl Clock for HeldClock {
    fn now(&self) -> Timestamp {
        let passed = SignedDuration::try_from(self.origin.elapsed()).unwrap_or_default();
        let jumped = SignedDuration::from_nanos(self.jumped.load(Ordering::SeqCst));
        self.start.checked_add(passed).and_then(|now| now.checked_add(jumped)).unwrap_or(Timestamp::MAX)
    }

    fn instant(&self) -> Instant {
        tokio::time::Instant::now().into_std()
    }
}
