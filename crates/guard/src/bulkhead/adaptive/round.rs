//! The answers of a while, and which of them is the middle one.

use super::Answer;
use crate::tick::Tick;

/// The latest answers of a round; the oldest make room.
pub(super) struct Round {
    began: Tick,
    /// Seconds.
    times: [f64; MOST],
    count: usize,
    most_out: u32,
}

/// Answers that are looked at.
const MOST: usize = 64;
/// Answers that make a round.
const ENOUGH: usize = 16;

impl Default for Round {
    fn default() -> Self {
        Self { began: Tick::default(), times: [0.0; MOST], count: 0, most_out: 0 }
    }
}

impl Round {
    pub(super) fn begin(&mut self, now: Tick) {
        (self.began, self.count, self.most_out) = (now, 0, 0);
    }

    pub(super) fn add(&mut self, answer: &Answer) {
        // No division by zero where it is compared.
        self.times[self.count % MOST] = answer.took.as_secs_f64().max(1e-6);
        self.count += 1;
        self.most_out = self.most_out.max(answer.out);
    }

    pub(super) fn began(&self) -> Tick {
        self.began
    }

    /// The most calls that were out at once.
    pub(super) fn most_out(&self) -> u32 {
        self.most_out
    }

    pub(super) fn is_full(&self) -> bool {
        self.count >= ENOUGH
    }

    /// Half of the answers took longer. Not of an empty round.
    pub(super) fn middle(&self) -> f64 {
        let mut times = self.times;
        let times = &mut times[..self.count.min(MOST)];
        *times.select_nth_unstable_by(times.len() / 2, f64::total_cmp).1
    }
}
