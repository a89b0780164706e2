//! Time as the parts of a guard count it: nanoseconds since the guard was made, never the wall clock.

use std::time::{Duration, Instant};

/// Nanoseconds since the guard was made. Good for 584 years.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tick(u64);

impl Tick {
    /// `nanos` after the guard was made.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// How far `now` is from `base`; zero when it is before.
    pub fn between(base: Instant, now: Instant) -> Self {
        Self::default() + now.saturating_duration_since(base)
    }

    /// Nanoseconds since the guard was made.
    pub const fn nanos(self) -> u64 {
        self.0
    }

    /// Whole milliseconds since the guard was made.
    pub const fn millis(self) -> u64 {
        self.0 / 1_000_000
    }

    /// How long after `earlier`; zero when it is before.
    pub const fn since(self, earlier: Tick) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl std::ops::Add<Duration> for Tick {
    type Output = Tick;

    fn add(self, span: Duration) -> Tick {
        Tick(self.0.saturating_add(nanos(span)))
    }
}

/// A duration in whole nanoseconds, at most 584 years.
pub(crate) fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}
