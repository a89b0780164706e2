//! Runs that had to be let go: a store that did not answer, a journal that cannot be read, a panic. Each is read back
//! after a while, and is stuck until it has written something again.

use std::collections::HashMap;
use std::time::Duration;

use parking_lot::Mutex;

use super::Engine;
use super::runs::Message;
use crate::Error;

/// How long the first wait is; each in a row is twice as long, up to the longest.
const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);

/// How often in a row runs were let go.
#[derive(Default)]
pub(super) struct Lost(Mutex<HashMap<String, u32>>);

impl Lost {
    /// The run goes on, or has nothing to do.
    pub(super) fn found(&self, run: &str) {
        self.0.lock().remove(run);
    }

    pub(super) fn has(&self, run: &str) -> bool {
        self.0.lock().contains_key(run)
    }

    fn wait(&self, run: &str) -> Duration {
        let mut lost = self.0.lock();
        let times = lost.entry(run.to_owned()).or_default();
        *times += 1;
        FIRST.saturating_mul(1 << (*times - 1).min(6)).min(LONGEST)
    }
}

impl Engine {
    /// Reads a run back after a while that was let go because of this, or of a panic.
    pub(super) fn look_again(&self, run: &str, error: Option<&Error>) {
        if error.is_some_and(is_final) || self.is_stopping() {
            return;
        }
        let (engine, run, wait) = (self.clone(), run.to_owned(), self.0.lost.wait(run));
        self.keep(async move {
            tokio::time::sleep(wait).await;
            engine.send(&run, Message::Look);
        });
    }
}

/// Whether there is nothing to read back, or nowhere to read it from.
fn is_final(error: &Error) -> bool {
    use store::Error::{Closed, Fenced, LeaseOver};
    matches!(error, Error::UnknownRun(_) | Error::Store(Fenced { .. } | Closed | LeaseOver { .. }))
}
