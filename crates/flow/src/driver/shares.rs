//! Calls in flight: each system has a share of its own, so that a slow one takes no other's.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use port::normalised;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The shares, by system.
pub(super) struct Shares {
    each: usize,
    systems: Mutex<HashMap<String, Arc<Semaphore>>>,
}

impl Shares {
    pub(super) fn new(each: usize) -> Self {
        Self { each: each.max(1), systems: Mutex::default() }
    }

    /// The right to one call in flight to a system; given back when it is dropped. Who asks first gets it first.
    pub(super) async fn permit(&self, system: &str) -> Option<OwnedSemaphorePermit> {
        let share = self.of(system);
        share.acquire_owned().await.ok()
    }

    fn of(&self, system: &str) -> Arc<Semaphore> {
        let mut systems = self.systems.lock();
        let share = systems.entry(normalised(system)).or_insert_with(|| Arc::new(Semaphore::new(self.each)));
        share.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_system_that_has_taken_its_share_takes_nobody_elses() {
        let shares = Shares::new(2);
        let held = [shares.permit("slow").await, shares.permit("slow").await];
        assert!(shares.of("slow").try_acquire().is_err());
        assert!(shares.permit("well").await.is_some());
        drop(held);
        assert!(shares.permit("slow").await.is_some());
    }
}
