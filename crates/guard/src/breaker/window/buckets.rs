//! The calls of the last so long, in at most 16 buckets of one atomic word each.
//!
//! ```text
//! 63..48 rotation · 47..32 calls · 31..16 bad · 15..0 slow
//! ```
//!
//! A bucket says which rotation of the window it counts; one from an earlier rotation counts as empty, so forgetting
//! costs nothing. A bucket that is full halves its three counts: the shares stay, the memory does not grow.

use super::{Sample, Tally};
use crate::sync::{AtomicU64, Ordering};
use crate::tick::Tick;

const MOST: usize = 16;
const FULL: u64 = 0xffff;

pub(in crate::breaker) struct Buckets {
    cells: [AtomicU64; MOST],
    /// The newest step seen. After a silence longer than the window all cells are emptied, because 65,536 rotations
    /// later a rotation number repeats.
    newest: AtomicU64,
    /// Nanoseconds per bucket.
    step: u64,
    count: u64,
}

impl Buckets {
    pub(super) fn new(length: u64, count: u8) -> Self {
        let count = u64::from(count).clamp(1, MOST as u64);
        Self {
            cells: std::array::from_fn(|_| AtomicU64::new(0)),
            newest: AtomicU64::new(0),
            step: (length / count).max(1),
            count,
        }
    }

    #[inline]
    pub(super) fn add(&self, sample: Sample, now: Tick) -> Tally {
        let step = now.nanos() / self.step;
        self.advance(step);
        let (rotation, at) = (step / self.count, step % self.count);
        let cell = &self.cells[usize::try_from(at).unwrap_or(0)];
        let mut seen = cell.load(Ordering::Relaxed);
        while let Err(other) = cell.compare_exchange_weak(
            seen,
            counted(seen, rotation, sample),
            Ordering::Relaxed,
            Ordering::Relaxed,
        ) {
            seen = other;
        }
        self.tally(rotation, at)
    }

    /// Empties everything after a silence longer than the window. A call that is counted in the same instant may be
    /// forgotten with it.
    #[inline]
    fn advance(&self, step: u64) {
        let newest = self.newest.load(Ordering::Relaxed);
        if step <= newest {
            return;
        }
        if step - newest > self.count {
            self.clear();
        }
        self.newest.fetch_max(step, Ordering::Relaxed);
    }

    #[inline]
    fn tally(&self, rotation: u64, at: u64) -> Tally {
        let mut tally = Tally::default();
        for (index, cell) in (0..self.count).zip(&self.cells) {
            let word = cell.load(Ordering::Relaxed);
            let expected = if index <= at { Some(rotation) } else { rotation.checked_sub(1) };
            if expected.is_some_and(|expected| word >> 48 == expected & FULL) {
                tally.calls += part(word, 32);
                tally.bad += part(word, 16);
                tally.slow += part(word, 0);
            }
        }
        tally
    }

    pub(super) fn clear(&self) {
        self.cells.iter().for_each(|cell| cell.store(0, Ordering::Relaxed));
    }
}

/// The word after one more call.
#[inline]
fn counted(seen: u64, rotation: u64, sample: Sample) -> u64 {
    let tag = (rotation & FULL) << 48;
    let mut counts = if seen >> 48 == rotation & FULL { seen & !(FULL << 48) } else { 0 };
    if counts >> 32 == FULL {
        counts = (counts >> 1) & 0x7fff_7fff_7fff;
    }
    tag | (counts + (1 << 32) + (u64::from(sample.bad) << 16) + u64::from(sample.slow))
}

#[inline]
fn part(word: u64, shift: u32) -> u32 {
    (word >> shift & FULL) as u32
}
