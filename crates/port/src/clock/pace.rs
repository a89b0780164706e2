//! How the processor's counter becomes nanoseconds of the monotonic clock. Pure: it is told what both say.
//!
//! Both are read together now and then. Two such looks give a rate; two rates that agree make it believed, until the
//! next look, which comes after a tenth of a second at most. A reading in between is the last look and what the counter
//! has gone since. So an error cannot grow, and a counter that has changed its pace, was set back or stood still while
//! the machine slept is found out at the next look: its rates do not agree, and the clock itself is read until they do.
//!
//! How far a reading can be from the clock:
//! - while the counter's rate is steady, some times the uncertainty of a look: a microsecond or two at worst;
//! - while the clock is slewed (by at most 1/2000, says the kernel), 50 µs more;
//! - ahead, whatever the counter does: [`LONGEST`], until the next look;
//! - behind, when the counter becomes n times slower: n times [`LONGEST`]; when it is set back, by as much and
//!   [`LONGEST`] at most. Until the next look.

use std::cell::Cell;

/// Nanoseconds for which a rate is believed at most.
pub(super) const LONGEST: u64 = 100_000_000;
/// Nanoseconds over which a rate is measured at least.
pub(super) const SHORTEST: u64 = 1_000_000;
/// Ticks that may pass while both are read: less than a microsecond. A look that took longer was interrupted.
pub(super) const QUICK: u64 = 1_000;
/// How often a look is tried before the next reading has to try again.
const TRIES: usize = 3;
/// Two rates agree when they differ by less than 1/1024: more than a clock is ever slewed by.
const AGREEMENT: u32 = 10;
/// Binary places of a rate behind its point.
const PLACES: u32 = 32;

/// Where the time comes from.
pub(super) trait Source {
    /// Whether the counter may be read at all.
    fn counts(&self) -> bool;
    /// The counter.
    fn ticks(&self) -> u64;
    /// The clock, in nanoseconds.
    fn nanos(&self) -> u64;
}

/// What is known of the counter: where both stood at the last look, and how fast the one goes by the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    look: Look,
    /// Nanoseconds a tick, in 2⁻³²; 0 when the counter cannot be reckoned with.
    rate: u64,
    /// Ticks from the look for which the rate is believed.
    good_for: u64,
}

/// What the counter and the clock said at one moment.
#[derive(Clone, Copy, Debug)]
struct Look {
    ticks: u64,
    nanos: u64,
}

impl Pace {
    /// Before the first look.
    pub(super) const UNKNOWN: Pace = Pace { look: Look { ticks: 0, nanos: 0 }, rate: 0, good_for: 0 };

    /// The clock by the counter. `None` when it is time to look at the clock again.
    #[inline]
    fn reckon(&self, ticks: u64) -> Option<u64> {
        let gone = ticks.wrapping_sub(self.look.ticks);
        // Below 2⁶⁴: `good_for` is `LONGEST` at that rate at most.
        (gone < self.good_for).then(|| self.look.nanos + ((gone * self.rate) >> PLACES))
    }

    /// Whether the last look is so near that a rate measured from it would be worth nothing.
    fn is_fresh(&self, nanos: u64) -> bool {
        nanos.saturating_sub(self.look.nanos) < SHORTEST
    }

    /// What is known after another look.
    fn after(self, look: Look) -> Self {
        let span = look.nanos.saturating_sub(self.look.nanos);
        let rate = rate(look.ticks.wrapping_sub(self.look.ticks), span);
        let agrees = rate.abs_diff(self.rate) <= self.rate >> AGREEMENT;
        // Not for much longer than it was measured, or the uncertainty of the looks would grow with it.
        let believed = if agrees { (span * 2).min(LONGEST) << PLACES } else { 0 };
        Self { look, rate, good_for: believed.checked_div(rate).unwrap_or(0) }
    }
}

/// Nanoseconds a tick, in 2⁻³²; 0 when that is no number to reckon with.
fn rate(ticks: u64, nanos: u64) -> u64 {
    let rate = (u128::from(nanos) << PLACES).checked_div(u128::from(ticks));
    rate.and_then(|rate| u64::try_from(rate).ok()).unwrap_or(0)
}

/// The clock of `source`, by its counter where that is known well enough.
#[inline]
pub(super) fn read(pace: &Cell<Pace>, source: &impl Source) -> u64 {
    let known = pace.get();
    let reckoned = if known.good_for > 0 { known.reckon(source.ticks()) } else { None };
    reckoned.unwrap_or_else(|| look_again(pace, source))
}

#[cold]
fn look_again(pace: &Cell<Pace>, source: &impl Source) -> u64 {
    let (known, nanos) = (pace.get(), source.nanos());
    if !source.counts() || known.is_fresh(nanos) {
        return nanos;
    }
    let Some(look) = (0..TRIES).find_map(|_| look(source)) else { return source.nanos() };
    pace.set(known.after(look));
    look.nanos
}

/// Reads both. `None` when something came between.
fn look(source: &impl Source) -> Option<Look> {
    let (before, nanos, after) = (source.ticks(), source.nanos(), source.ticks());
    let took = after.wrapping_sub(before);
    (took < QUICK).then(|| Look { ticks: before.wrapping_add(took / 2), nanos })
}
