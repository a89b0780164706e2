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
        if self.is_news(Instant::now()) {
            tracing::warn!(endpoint = self.endpoint, cause, "spans cannot be exported");
        }
    }

    pub(crate) fn well(&mut self) {
        if std::mem::take(&mut self.fails) {
            tracing::info!(endpoint = self.endpoint, "spans are exported again");
        }
    }

    fn is_news(&mut self, now: Instant) -> bool {
        let lately = self.failed.is_some_and(|failed| now.duration_since(failed) < QUIET);
        let news = !self.fails && !lately;
        if news {
            (self.fails, self.failed) = (true, Some(now));
        }
        news
    }
}

#[cfg(test)]
mod tests {
    use super::{Instant, QUIET, Voice};

    #[test]
    fn a_collector_that_comes_and_goes_is_not_spoken_of_each_time() {
        let mut voice = Voice::new(&"http://127.0.0.1:4317".parse().unwrap());
        let begun = Instant::now();
        assert!(voice.is_news(begun));
        assert!(!voice.is_news(begun + 2 * QUIET), "it has been said");
        voice.well();
        assert!(!voice.is_news(begun + QUIET / 2), "it was said just now");
        assert!(voice.is_news(begun + QUIET));
    }
}
