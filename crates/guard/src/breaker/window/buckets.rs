//! The calls of the last so long, in at most 16 buckets of one atomic word each.
//!
//! ```text
//! 63..48 rotation · 47..32 calls · 31..16 bad · 15..0 slow
//! ```
//!
//! Time goes in steps, one bucket each. A bucket says in which rotation over the cells it was filled; one from an
//! earlier rotation counts as empty, so forgetting costs nothing. A bucket that is full halves its three counts: the
//! shares stay, the memory does not grow.

use super::{Sample, Tally};
use crate::sync::{AtomicU64, Ordering};
use crate::tick::Tick;

const CELLS: usize = 16;
const FULL: u64 = 0xffff;
/// A bucket this full is halved. The rest of its 16 bits is for callers that looked before they added: 4,095 at once.
const NEARLY_FULL: u64 = 0xf000;

pub(in crate::breaker) struct Buckets {
    cells: Cells,
    /// The newest step seen. After a silence longer than the window all cells are emptied, because 65,536 rotations
    /// later a rotation number repeats.
    newest: AtomicU64,
    /// From this step on no call in the window was bad or slow, so that there is nothing to count up.
    clean: AtomicU64,
    /// Nanoseconds per step.
    step: u64,
    /// Steps in the window.
    count: u64,
}

/// On cache lines of their own: counting a call must not take away from other cores what they only read.
#[repr(align(64))]
struct Cells([AtomicU64; CELLS]);

impl Buckets {
    pub(super) fn new(length: u64, count: u8) -> Self {
        let count = u64::from(count).clamp(1, CELLS as u64);
        Self {
            cells: Cells(std::array::from_fn(|_| AtomicU64::new(0))),
            newest: AtomicU64::new(0),
            clean: AtomicU64::new(0),
            step: (length / count).max(1),
            count,
        }
    }

    /// Adds a call. What the window comes to; `None` when every call in it was good and quick.
    #[inline]
    pub(super) fn add(&self, sample: Sample, now: Tick) -> Option<Tally> {
        let step = self.step(now.nanos());
        if sample.bad || sample.slow {
            // Before it is counted: whoever counts after it in the same cell must know.
            self.clean.fetch_max(step + self.count, Ordering::AcqRel);
        }
        count(self.cell(step), rotation(step), sample);
        (step < self.clean.load(Ordering::Acquire)).then(|| self.tally(step))
    }

    pub(super) fn is_clean(&self, now: Tick) -> bool {
        now.nanos() / self.step >= self.clean.load(Ordering::Acquire)
    }

    /// The step of a moment. Mostly it is the newest one, which is found without a division.
    #[inline]
    fn step(&self, nanos: u64) -> u64 {
        let newest = self.newest.load(Ordering::Relaxed);
        match nanos.checked_sub(newest * self.step) {
            Some(into) if into < self.step => newest,
            _ => self.advance(nanos / self.step, newest),
        }
    }

    /// Empties everything after a silence longer than the window. A call that is counted in the same instant may be
    /// forgotten with it.
    #[cold]
    fn advance(&self, step: u64, newest: u64) -> u64 {
        if step > newest + self.count {
            self.clear();
        }
        self.newest.fetch_max(step, Ordering::Relaxed);
        step
    }

    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "only the low four bits are wanted")]
    fn cell(&self, step: u64) -> &AtomicU64 {
        &self.cells.0[step as usize % CELLS]
    }

    fn tally(&self, step: u64) -> Tally {
        let mut tally = Tally::default();
        for step in (step + 1).saturating_sub(self.count)..=step {
            let word = self.cell(step).load(Ordering::Relaxed);
            if word >> 48 == rotation(step) {
                tally.calls += part(word, 32);
                tally.bad += part(word, 16);
                tally.slow += part(word, 0);
            }
        }
        tally
    }

    pub(super) fn clear(&self) {
        self.cells.0.iter().for_each(|cell| cell.store(0, Ordering::Relaxed));
    }
}

/// Counts a call in a cell. It is added before anything is looked at, because to look first would fetch the cell from
/// another core twice.
#[inline]
fn count(cell: &AtomicU64, rotation: u64, sample: Sample) {
    let one = (1 << 32) + (u64::from(sample.bad) << 16) + u64::from(sample.slow);
    let seen = cell.fetch_add(one, Ordering::AcqRel);
    if seen >> 48 != rotation || is_full(seen) {
        tidy(cell, seen + one, rotation, one);
    }
}

/// Begins a new rotation with the call that was added to an old one, or halves a full count.
#[cold]
fn tidy(cell: &AtomicU64, mut seen: u64, rotation: u64, one: u64) {
    let mut added_here = seen >> 48 == rotation;
    loop {
        let (next, adds) = match seen >> 48 == rotation {
            true if is_full(seen) => (rotation << 48 | seen >> 1 & 0x7fff_7fff_7fff, false),
            true if added_here => return,
            // Somebody began the rotation, and what was added before went with the old one.
            true => (seen + one, true),
            false => (rotation << 48 | one, true),
        };
        match cell.compare_exchange_weak(seen, next, Ordering::AcqRel, Ordering::Relaxed) {
            Ok(_) => (seen, added_here) = (next, added_here || adds),
            Err(other) => seen = other,
        }
    }
}

#[inline]
fn is_full(word: u64) -> bool {
    word >> 32 & FULL >= NEARLY_FULL
}

#[inline]
fn rotation(step: u64) -> u64 {
    (step / CELLS as u64) & FULL
}

#[inline]
fn part(word: u64, shift: u32) -> u32 {
    (word >> shift & FULL) as u32
}
