//! Remembers what a guard says.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use guard::{Event, Listener, State};

#[derive(Default)]
pub(crate) struct Ear {
    attempts: AtomicU64,
    opened: AtomicU64,
    waits: Mutex<Vec<Duration>>,
}

impl Ear {
    /// Attempts that left the house.
    pub(crate) fn attempts(&self) -> u64 {
        self.attempts.load(Ordering::Relaxed)
    }

    /// How often a breaker opened.
    pub(crate) fn opened(&self) -> u64 {
        self.opened.load(Ordering::Relaxed)
    }

    /// The waits before further attempts.
    pub(crate) fn waits(&self) -> Vec<Duration> {
        self.waits.lock().unwrap().clone()
    }
}

impl Listener for Ear {
    fn hear(&self, event: &Event<'_>) {
        match event {
            Event::AttemptStarted { .. } => _ = self.attempts.fetch_add(1, Ordering::Relaxed),
            Event::RetryScheduled { delay, .. } => self.waits.lock().unwrap().push(*delay),
            Event::Transition { to: State::Open, .. } => _ = self.opened.fetch_add(1, Ordering::Relaxed),
            // What else happens is not counted here.
            _ => {}
        }
    }
}
