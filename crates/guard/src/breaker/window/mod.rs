//! Which calls are the latest, and how many of them were bad or slow. Time and memory do not grow with calls.

mod buckets;
mod ring;
#[cfg(all(test, not(loom)))]
mod tests;

use buckets::Buckets;
use ring::Ring;

use crate::policy;
use crate::sync::Lock;
use crate::tick::{Tick, nanos};

/// What the latest calls came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) calls: u32,
    pub(super) bad: u32,
    pub(super) slow: u32,
}

/// One call that came back.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    pub(super) bad: bool,
    pub(super) slow: bool,
}

/// The latest calls: exactly the last so many, or those of the last so long.
pub(super) enum Window {
    Calls(Box<Lock<Ring>>),
    Time(Box<Buckets>),
}

impl Window {
    pub(super) fn new(window: &policy::Window) -> Self {
        match window {
            policy::Window::Calls(calls) => Window::Calls(Box::new(Lock::new(Ring::new(*calls as usize)))),
            policy::Window::Time { length, buckets } => {
                Window::Time(Box::new(Buckets::new(nanos(*length), *buckets)))
            }
        }
    }

    /// Adds a call. What the window comes to; `None` when every call in it was good and quick. The time is asked for
    /// only when it matters.
    #[inline]
    pub(super) fn add(&self, sample: Sample, now: impl FnOnce() -> Tick) -> Option<Tally> {
        match self {
            Window::Calls(ring) => Some(ring.hold().add(sample)),
            Window::Time(buckets) => buckets.add(sample, now()),
        }
    }

    /// Whether every call in it was good and quick.
    pub(super) fn is_clean(&self, now: Tick) -> bool {
        match self {
            Window::Calls(ring) => ring.hold().is_clean(),
            Window::Time(buckets) => buckets.is_clean(now),
        }
    }

    /// Forgets everything.
    pub(super) fn clear(&self) {
        match self {
            Window::Calls(ring) => ring.hold().clear(),
            Window::Time(buckets) => buckets.clear(),
        }
    }
}
