//! Time as the parts of a guard count it: nanoseconds since the guard was made, never the wall clock.

use std::time::{Duration, Instant};

/// Nanoseconds since the guard was made. Good for 584 years.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tick(u64);

impl Tick {
    /// Later than any other.
    pub(crate) const NEVER: Tick = Tick(u64::MAX);

    /// `nanos` after the guard was made.
    #[inline]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// How far `now` is from `base`; zero when it is before.
    #[inline]
    pub fn between(base: Instant, now: Instant) -> Self {
        Self::default() + now.saturating_duration_since(base)
    }

    /// How many nanoseconds after `earlier`; zero when it is before.
    #[inline]
    pub(crate) const fn nanos_since(self, earlier: Tick) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Nanoseconds since the guard was made.
    #[inline]
    pub const fn nanos(self) -> u64 {
        self.0
    }

    /// Whole milliseconds since the guard was made.
    #[inline]
    pub const fn millis(self) -> u64 {
        self.0 / 1_000_000
    }

    /// How long after `earlier`; zero when it is before.
    #[inline]
    pub const fn since(self, earlier: Tick) -> Duration {
        Duration::from_nanos(self.nanos_since(earlier))
    }
}

impl std::ops::Add<Duration> for Tick {
    type Output = Tick;

    #[inline]
    fn add(self, span: Duration) -> Tick {
        Tick(self.0.saturating_add(nanos(span)))
    }
}

/// A duration in whole nanoseconds, at most 584 years.
#[inline]
pub(crate) fn nanos(span: Duration) -> u64 {
    span.as_secs().saturating_mul(1_000_000_000).saturating_add(u64::from(span.subsec_nanos()))
}
