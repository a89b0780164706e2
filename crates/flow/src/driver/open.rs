//! How an engine begins and how it stops.

use std::sync::Arc;
use std::time::Duration;

use super::runs::Message;
use super::{Deps, Engine, Inner, timers, topics};
use crate::Error;

impl Engine {
    /// An engine over a store that does nothing by itself before it is started: whoever speaks for it can be given it
    /// first.
    pub fn new(deps: Deps) -> Self {
        let engine = Self(Arc::new(Inner::new(deps.clone())), Vec::new());
        engine.reload(deps.definitions, deps.known);
        engine
    }

    /// Lets every live run go on, on this runtime.
    ///
    /// # Errors
    /// The store's, when the live runs cannot be read.
    pub async fn start(&self) -> Result<(), Error> {
        let mended = self.mend_timers().await?;
        timers::line_up(self).await?;
        self.resume_all().await?;
        mended.iter().for_each(|run| self.send(run, Message::Look));
        self.keep(self.clone().warn_of_needs());
        self.keep(timers::follow(self.clone()));
        self.keep(topics::follow(self.clone()));
        Ok(())
    }

    /// Makes an engine and starts it.
    ///
    /// # Errors
    /// The store's, when the live runs cannot be read.
    pub async fn open(deps: Deps) -> Result<Self, Error> {
        let engine = Self::new(deps);
        engine.start().await?;
        Ok(engine)
    }

    /// Stops starting effects, gives calls in flight `patience` to come home, then stops. Nothing is lost: the next
    /// engine over the store goes on.
    pub async fn stop(&self, patience: Duration) {
        self.0.stopping.send_replace(true);
        let quiet = async {
            while !self.0.runs.lock().is_empty() {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        let _ = tokio::time::timeout(patience, quiet).await;
        for task in self.0.tasks.lock().drain(..) {
            task.abort();
        }
        for (_, handle) in self.0.runs.lock().drain() {
            handle.abort();
        }
    }

    pub(super) fn keep(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.0.tasks.lock();
        tasks.retain(|task| !task.is_finished());
        tasks.push(self.0.home.spawn(task).abort_handle());
    }

    pub(super) fn is_stopping(&self) -> bool {
        *self.0.stopping.borrow()
    }
}
