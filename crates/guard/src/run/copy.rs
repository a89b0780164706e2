//! What becomes of a copy of a hedged call that loses to another.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::Run;
use crate::breaker::Scene;
use crate::event::Event;
use crate::tick::Tick;

/// A copy of a hedged call. Dropped while it is out, it says so: whoever heard it leave hears what became of it.
pub(super) struct Copy<'r, 'a> {
    run: &'r Run<'a>,
    /// Which attempt it is while it is out, else 0.
    number: AtomicU32,
    /// When it left.
    left: AtomicU64,
}

impl<'r, 'a> Copy<'r, 'a> {
    pub(super) fn of(run: &'r Run<'a>) -> Self {
        Self { run, number: AtomicU32::new(0), left: AtomicU64::new(0) }
    }

    pub(super) fn leaves(&self, number: u32) {
        self.left.store(self.run.now().nanos(), Ordering::Relaxed);
        self.number.store(number, Ordering::Relaxed);
    }

    pub(super) fn came_back(&self) {
        self.number.store(0, Ordering::Relaxed);
    }
}

impl Drop for Copy<'_, '_> {
    fn drop(&mut self) {
        let attempt = self.number.load(Ordering::Relaxed);
        if attempt != 0 {
            self.run.look();
            let duration = self.run.now().since(Tick::from_nanos(self.left.load(Ordering::Relaxed)));
            self.run.hear(&Event::CopyDropped { place: &self.run.place, attempt, duration });
        }
    }
}
