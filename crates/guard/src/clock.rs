//! The clock that agrees with the runtime's timers.

use std::time::Instant;

use jiff::{SignedDuration, Timestamp};
use port::{Clock, SystemClock};

/// Reads the tokio runtime's clock, so that what a guard measures and what its timers wait for are the same time,
/// also when a test pauses it. Must be read inside a runtime when that runtime's clock is paused.
#[derive(Clone, Copy, Debug)]
pub struct RuntimeClock {
    wall: Timestamp,
    base: Instant,
}

impl RuntimeClock {
    /// Starts at the machine's wall clock, and then follows the runtime.
    pub fn start() -> Self {
        Self::starting_at(SystemClock.now())
    }

    /// Starts at a given wall clock, and then follows the runtime.
    pub fn starting_at(wall: Timestamp) -> Self {
        Self { wall, base: tokio::time::Instant::now().into_std() }
    }
}

impl Clock for RuntimeClock {
    fn now(&self) -> Timestamp {
        let elapsed = SignedDuration::try_from(self.instant().saturating_duration_since(self.base));
        elapsed.ok().and_then(|elapsed| self.wall.checked_add(elapsed).ok()).unwrap_or(Timestamp::MAX)
    }

    fn instant(&self) -> Instant {
        tokio::time::Instant::now().into_std()
    }
}
