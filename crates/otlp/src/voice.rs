//! Says once that spans cannot be exported, and once that they can again.

use std::time::Duration;

use tokio::time::Instant;
use url::Url;

/// A collector that comes and goes is spoken of at most so often.
const QUIET: Duration = Duration::from_secs(60);

/// What was said last of a collector.
pub(crate) struct Voice {
    endpoint: String,
    fails: bool,
    failed: Option<Instant>,
}

impl Voice {
    pub(crate) fn new(endpoint: &Url) -> Self {
        Self { endpoint: endpoint.to_string(), fails: false, failed: None }
    }

    pub(crate) fn failing(&mut self, cause: &str) {
        let now = Instant::now();
        let lately = self.failed.is_some_and(|failed| now.duration_since(failed) < QUIET);
        if self.fails || lately {
            return;
        }
        (self.fails, self.failed) = (true, Some(now));
        tracing::warn!(endpoint = self.endpoint, cause, "spans cannot be exported");
    }

    pub(crate) fn well(&mut self) {
        if std::mem::take(&mut self.fails) {
            tracing::info!(endpoint = self.endpoint, "spans are exported again");
        }
    }
}
