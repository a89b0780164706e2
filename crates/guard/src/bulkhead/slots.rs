//! Who is in and who waits, in one word, so that no place is lost between a leaver and a newcomer.
//!
//! ```text
//! 63..32 waiting · 31..0 taken
//! ```

use crate::sync::{AtomicU32, AtomicU64, Ordering};

pub(super) struct Slots {
    word: AtomicU64,
    places: AtomicU32,
}

const WAITING: u64 = 1 << 32;

impl Slots {
    pub(super) fn new(places: u32) -> Self {
        Self { word: AtomicU64::new(0), places: AtomicU32::new(places.max(1)) }
    }

    #[inline]
    fn change(&self, step: impl Fn(u64) -> Option<u64>) -> bool {
        self.word.fetch_update(Ordering::AcqRel, Ordering::Acquire, step).is_ok()
    }

    #[inline]
    fn has_room(&self, word: u64) -> bool {
        low(word) < self.places()
    }

    /// Takes a free place, unless somebody waits for it.
    #[inline]
    pub(super) fn take(&self) -> bool {
        self.change(|word| (word < WAITING && self.has_room(word)).then_some(word + 1))
    }

    /// Counts one more waiter, if there is reason to wait and room for it. Called with the queue held.
    pub(super) fn wait(&self, most: u32) -> bool {
        self.change(|word| {
            let reason = word >= WAITING || !self.has_room(word);
            (reason && high(word) < most).then(|| word + WAITING)
        })
    }

    /// Counts one waiter less: it gave up. Called with the queue held.
    pub(super) fn give_up(&self) {
        let counted = self.change(|word| word.checked_sub(WAITING));
        debug_assert!(counted, "a waiter that was never counted gave up");
    }

    /// Gives a place back, unless somebody waits for it and may have it.
    #[inline]
    pub(super) fn give_back(&self) -> bool {
        self.change(|word| (word < WAITING || low(word) > self.places()).then(|| word.saturating_sub(1)))
    }

    /// Passes a leaver's place to a waiter. Called with the queue held.
    pub(super) fn hand_over(&self) -> bool {
        self.change(|word| (word >= WAITING && low(word) <= self.places()).then(|| word - WAITING))
    }

    /// Turns a waiter into one more that is in. Called with the queue held.
    pub(super) fn let_in(&self) -> bool {
        self.change(|word| (word >= WAITING && self.has_room(word)).then(|| word - WAITING + 1))
    }

    pub(super) fn resize(&self, places: u32) {
        self.places.store(places.max(1), Ordering::Release);
    }

    #[inline]
    pub(super) fn places(&self) -> u32 {
        self.places.load(Ordering::Acquire)
    }

    pub(super) fn taken(&self) -> u32 {
        low(self.word.load(Ordering::Acquire))
    }

    pub(super) fn waiting(&self) -> u32 {
        high(self.word.load(Ordering::Acquire))
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the low half is meant")]
#[inline]
fn low(word: u64) -> u32 {
    word as u32
}

fn high(word: u64) -> u32 {
    low(word >> 32)
}
