//! The last N calls, two bits each.

use super::{Sample, Tally};

/// A ring of the last calls; the oldest is taken out of the tally before the newest goes in.
pub(in crate::breaker) struct Ring {
    slots: Box<[u8]>,
    next: usize,
    tally: Tally,
}

const BAD: u8 = 1;
const SLOW: u8 = 2;

impl Ring {
    pub(super) fn new(calls: usize) -> Self {
        Self { slots: vec![0; calls.max(1)].into(), next: 0, tally: Tally::default() }
    }

    pub(super) fn add(&mut self, sample: Sample) -> Tally {
        let newest = u8::from(sample.bad) * BAD + u8::from(sample.slow) * SLOW;
        let oldest = std::mem::replace(&mut self.slots[self.next], newest);
        self.next = (self.next + 1) % self.slots.len();
        if self.tally.calls as usize == self.slots.len() {
            self.tally.bad -= u32::from(oldest & BAD != 0);
            self.tally.slow -= u32::from(oldest & SLOW != 0);
        } else {
            self.tally.calls += 1;
        }
        self.tally.bad += u32::from(sample.bad);
        self.tally.slow += u32::from(sample.slow);
        self.tally
    }

    pub(super) fn clear(&mut self) {
        self.slots.fill(0);
        self.tally = Tally::default();
        self.next = 0;
    }
}
