//! Pauses that hold for one operation of a lane: what a system says of one thing that it is asked for, it does not say of
//! the others.

use parking_lot::Mutex;

use crate::sync::{AtomicU64, Ordering};
use crate::tick::Tick;

/// So many operations at once are told apart.
const MOST: usize = 1000;

/// Until when operations are left alone.
#[derive(Default)]
pub(crate) struct Apart {
    /// The last of them, so that a lane without pauses asks nobody.
    last: AtomicU64,
    each: Mutex<Vec<(Box<str>, Tick)>>,
}

impl Apart {
    /// Leaves an operation alone until then; false when there are too many to tell apart.
    pub(crate) fn pause(&self, operation: &str, until: Tick, now: Tick) -> bool {
        let mut each = self.each.lock();
        each.retain(|(_, end)| *end > now);
        match each.iter().position(|(name, _)| **name == *operation) {
            Some(at) => each[at].1 = until.max(each[at].1),
            None if each.len() >= MOST => return false,
            None => each.push((operation.into(), until)),
        }
        self.last.fetch_max(until.nanos(), Ordering::Relaxed);
        true
    }

    /// Until when an operation is left alone, when that is still to come.
    #[inline]
    pub(crate) fn until(&self, operation: &str, now: Tick) -> Option<Tick> {
        if self.last() <= now {
            return None;
        }
        let each = self.each.lock();
        each.iter().find(|(name, end)| **name == *operation && *end > now).map(|(_, end)| *end)
    }

    /// When the last pause ends.
    #[inline]
    pub(crate) fn last(&self) -> Tick {
        Tick::from_nanos(self.last.load(Ordering::Relaxed))
    }

    /// Nobody need be left alone any more.
    pub(crate) fn end(&self) {
        self.each.lock().clear();
        self.last.store(0, Ordering::Relaxed);
    }
}
