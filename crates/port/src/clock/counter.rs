//! The monotonic clock, read by the processor's counter. See `docs/decisions/0010-*` for why this is safe.

use std::cell::Cell;
use std::fs;
use std::sync::LazyLock;

use super::pace::{self, Pace, Source};

thread_local! {
    static PACE: Cell<Pace> = const { Cell::new(Pace::UNKNOWN) };
}

/// Whether the kernel keeps its own time by the counter, and so vouches that it is steady and the same on all cores.
static TRUSTED: LazyLock<bool> = LazyLock::new(|| {
    let used = fs::read_to_string("/sys/devices/system/clocksource/clocksource0/current_clocksource");
    used.is_ok_and(|name| name.trim_end() == "tsc")
});

/// The monotonic clock in nanoseconds, as `CLOCK_MONOTONIC` counts them.
#[inline]
pub(super) fn nanos() -> u64 {
    PACE.with(|pace| pace::read(pace, &Machine))
}

/// This machine.
struct Machine;

impl Source for Machine {
    fn counts(&self) -> bool {
        *TRUSTED
    }

    #[inline]
    #[expect(unsafe_code, reason = "the standard library has no safe way to read the counter")]
    fn ticks(&self) -> u64 {
        // SAFETY: the instruction touches no memory, and every x86-64 has it. A kernel may forbid it to a process, but
        // not while its own `clock_gettime` uses it in this process, which is what `TRUSTED` asks.
        unsafe { core::arch::x86_64::_rdtsc() }
    }

    fn nanos(&self) -> u64 {
        super::monotonic()
    }
}
