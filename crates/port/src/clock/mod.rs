//! The clocks: what a clock is, and the machine's own.

#[cfg(feature = "held")]
mod held;

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use jiff::Timestamp;

#[cfg(feature = "held")]
pub use held::HeldClock;

/// The wall clock and the monotonic clock. Nothing below the wiring reads time any other way.
pub trait Clock: Send + Sync + 'static {
    /// The wall clock, for what is written down.
    fn now(&self) -> Timestamp;
    /// The monotonic clock, for what is measured.
    fn instant(&self) -> Instant;
    /// The monotonic clock in nanoseconds since a point that stays where it is while the process lives; cheaper to
    /// reckon with. Good for 292 years either way of its middle.
    fn nanos(&self) -> u64 {
        let (instant, origin) = (self.instant(), *ORIGIN);
        match instant.checked_duration_since(origin) {
            Some(after) => MIDDLE.saturating_add(whole_nanos(after)),
            None => MIDDLE.saturating_sub(whole_nanos(origin.saturating_duration_since(instant))),
        }
    }
}

/// The point that [`Clock::nanos`] counts from, unless a clock knows a cheaper one: `MIDDLE` is here.
static ORIGIN: LazyLock<Instant> = LazyLock::new(|| SystemClock.instant());
const MIDDLE: u64 = 1 << 63;

fn whole_nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

/// The machine's clocks.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

#[expect(clippy::disallowed_methods, reason = "this is where the wiring's clock comes from")]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
    fn instant(&self) -> Instant {
        Instant::now()
    }
    #[cfg(target_os = "linux")]
    #[inline]
    fn nanos(&self) -> u64 {
        monotonic()
    }
}

/// The clock behind `Instant` on Linux, without its arithmetic.
#[cfg(target_os = "linux")]
fn monotonic() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    time.tv_sec.cast_unsigned() * 1_000_000_000 + time.tv_nsec.cast_unsigned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nanoseconds_move_as_instants_do() {
        let (instant, nanos) = (SystemClock.instant(), SystemClock.nanos());
        std::thread::sleep(Duration::from_millis(2));
        let (later, after) = (SystemClock.instant(), SystemClock.nanos());
        let (by_instant, by_nanos) = (later - instant, Duration::from_nanos(after - nanos));
        assert!(by_nanos >= Duration::from_millis(2) && by_instant >= Duration::from_millis(2));
    }
}
