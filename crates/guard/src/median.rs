//! The answer time that half of the calls stay under, learned from the calls themselves in one word.

use std::time::Duration;

use crate::sync::{AtomicU64, Ordering};
use crate::tick::nanos;

/// A streaming median: each answer moves the estimate a thirty-second towards itself, so it settles where as many
/// answers are above as below. The first answers move it by half, because the very first one is often a cold one. Two
/// answers at the same instant may count as one.
#[derive(Default)]
pub struct Median {
    /// Nanoseconds, and in the low 4 bits how many answers were seen, up to 15.
    word: AtomicU64,
}

const SEEN: u64 = 0xf;

impl Median {
    /// Knows nothing yet.
    pub fn new() -> Self {
        Self { word: AtomicU64::new(0) }
    }

    /// An answer took this long.
    #[inline]
    pub fn add(&self, took: Duration) {
        let word = self.word.load(Ordering::Relaxed);
        let (estimate, seen) = (word & !SEEN, word & SEEN);
        let took = nanos(took) & !SEEN;
        let part = if seen < SEEN { 2 } else { 32 };
        let step = (estimate / part).max(SEEN + 1) & !SEEN;
        let moved = match took.cmp(&estimate) {
            _ if seen == 0 => took,
            std::cmp::Ordering::Less => estimate.saturating_sub(step).max(took),
            std::cmp::Ordering::Equal => estimate,
            std::cmp::Ordering::Greater => estimate.saturating_add(step).min(took),
        };
        let next = (moved & !SEEN) | (seen + 1).min(SEEN);
        if next != word {
            self.word.store(next, Ordering::Relaxed);
        }
    }

    /// A call was refused because of the estimate: it shrinks a little, so that an estimate gone stale cannot keep
    /// every call away for ever.
    pub fn doubt(&self) {
        let word = self.word.load(Ordering::Relaxed);
        let estimate = word & !SEEN;
        self.word.store((estimate - estimate / 64) & !SEEN | word & SEEN, Ordering::Relaxed);
    }

    /// The estimate, once 15 answers were seen.
    #[inline]
    pub fn get(&self) -> Option<Duration> {
        let word = self.word.load(Ordering::Relaxed);
        (word & SEEN == SEEN).then(|| Duration::from_nanos(word & !SEEN))
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use port::{Entropy, SeededEntropy};

    use super::*;

    #[test]
    fn it_settles_at_the_middle_and_ignores_the_tail() {
        let (median, entropy) = (Median::new(), SeededEntropy::new(11));
        for call in 0..5_000u64 {
            let tail = if call % 10 == 0 { 5_000 } else { 0 };
            median.add(Duration::from_millis(50 + entropy.bits() % 100 + tail));
        }
        let settled = median.get().unwrap().as_millis();
        assert!((75..135).contains(&settled), "{settled} ms; the true median is about 105");
    }

    #[test]
    fn a_cold_first_answer_is_forgotten_before_anybody_is_told() {
        let median = Median::new();
        median.add(Duration::from_secs(2));
        (0..14).for_each(|_| median.add(Duration::from_millis(50)));
        let usual = median.get().unwrap();
        assert!(usual <= Duration::from_millis(50), "{usual:?}");
    }

    #[test]
    fn it_says_nothing_before_it_knows_and_yields_to_doubt() {
        let median = Median::new();
        (0..14).for_each(|_| median.add(Duration::from_secs(1)));
        assert_eq!(median.get(), None);
        median.add(Duration::from_secs(1));
        assert!(median.get().unwrap() > Duration::from_millis(999));
        (0..400).for_each(|_| median.doubt());
        assert!(median.get().unwrap() < Duration::from_millis(10));
    }
}
