//! Chance that repeats itself: a stream of numbers from a seed, and numbers that belong to a name.

use std::hash::{DefaultHasher, Hash, Hasher};

/// A stream of chances.
pub(crate) struct Dice(fastrand::Rng);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(fastrand::Rng::with_seed(seed))
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0.u64(0..end.max(1))
    }

    /// True in so many of a hundred cases.
    pub(crate) fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[usize::try_from(self.below(from.len() as u64)).unwrap_or_default()]
    }
}

/// The dice of one named moment: they fall the same way whatever happened before.
pub(crate) fn of(name: impl Hash) -> Dice {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    Dice::new(hasher.finish())
}

/// A digest of what happened.
pub(crate) fn digest(of: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}
