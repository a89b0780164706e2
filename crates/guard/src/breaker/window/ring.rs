//! The last N calls, two bits each.

use super::{Sample, Tally};

/// A ring of the last calls; the oldest is taken out of the tally before the newest goes in.
pub(in crate::breaker) struct Ring {
    /// Four calls to a byte.
    slots: Box<[u8]>,
    size: usize,
    next: usize,
    tally: Tally,
}

const BAD: u8 = 1;
const SLOW: u8 = 2;

impl Ring {
    pub(super) fn new(calls: usize) -> Self {
        let size = calls.max(1);
        Self { slots: vec![0; size.div_ceil(4)].into(), size, next: 0, tally: Tally::default() }
    }

    #[inline]
    pub(super) fn add(&mut self, sample: Sample) -> Tally {
        let oldest = self.put(u8::from(sample.bad) * BAD + u8::from(sample.slow) * SLOW);
        if self.tally.calls as usize == self.size {
            self.tally.bad -= u32::from(oldest & BAD != 0);
            self.tally.slow -= u32::from(oldest & SLOW != 0);
        } else {
            self.tally.calls += 1;
        }
        self.tally.bad += u32::from(sample.bad);
        self.tally.slow += u32::from(sample.slow);
        self.tally
    }

    /// Puts the newest in the place of the oldest.
    #[inline]
    fn put(&mut self, newest: u8) -> u8 {
        let (slot, shift) = (&mut self.slots[self.next / 4], self.next % 4 * 2);
        let oldest = *slot >> shift & 0b11;
        *slot = *slot & !(0b11 << shift) | newest << shift;
        self.next = if self.next + 1 == self.size { 0 } else { self.next + 1 };
        oldest
    }

    pub(super) fn is_clean(&self) -> bool {
        self.tally.bad == 0 && self.tally.slow == 0
    }

    pub(super) fn clear(&mut self) {
        *self = Self::new(self.size);
    }
}
