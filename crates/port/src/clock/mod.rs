//! The clocks: what a clock is, and the machine's own.

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod counter;
#[cfg(feature = "held")]
mod held;
#[cfg(any(test, all(target_os = "linux", target_arch = "x86_64")))]
mod pace;
#[cfg(test)]
mod tests;

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
    /// The monotonic clock in nanoseconds since a point that stays where it is while the process lives; cheaper to read
    /// and to reckon with. Good for 292 years either way of its middle.
    ///
    /// It agrees with [`Clock::instant`] to a tenth of a millisecond. Two readings may be that much out of order, also on
    /// one thread: reckon with differences that saturate, and never take "before" for granted.
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
    #[cfg(all(target_os = "linux", target_arch = "x86_64"))]
    #[inline]
    fn nanos(&self) -> u64 {
        counter::nanos()
    }
    #[cfg(all(target_os = "linux", not(target_arch = "x86_64")))]
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
