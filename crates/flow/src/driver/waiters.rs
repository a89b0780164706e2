//! Those who wait for a run to end.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;

type Bells = Arc<Mutex<HashMap<String, Arc<Notify>>>>;

/// One bell per run that somebody waits for.
#[derive(Default)]
pub(super) struct Waiters(Bells);

/// A place among those who wait; leaving it takes the bell down when it was the last.
pub(super) struct Waiting {
    run: String,
    bell: Arc<Notify>,
    bells: Bells,
}

impl Waiters {
    pub(super) fn join(&self, run: &str) -> Waiting {
        let bell = self.0.lock().entry(run.to_owned()).or_default().clone();
        Waiting { run: run.to_owned(), bell, bells: self.0.clone() }
    }

    pub(super) fn wake(&self, run: &str) {
        if let Some(bell) = self.0.lock().get(run) {
            bell.notify_waiters();
        }
    }
}

impl Waiting {
    /// Rung from now on, also before it is awaited.
    pub(super) fn woken(&self) -> impl Future<Output = ()> + use<> {
        let mut rung = Box::pin(self.bell.clone().notified_owned());
        rung.as_mut().enable();
        rung
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut bells = self.bells.lock();
        // One in the map, one here: nobody else waits.
        if Arc::strong_count(&self.bell) == 2 {
            bells.remove(&self.run);
        }
    }
}
