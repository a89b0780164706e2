//! The gauges of what is there now, asked for at each scrape: runs by status, open dead letters, what waits in
//! the outbox, the oldest stuck run.

use std::sync::Arc;
use std::time::Duration;

use flow::Engine;
use jiff::Timestamp;
use port::Clock;
use store::{RunFilter, RunStatus, Store};

use super::hear::Ears;

/// Who is asked.
#[derive(Clone)]
pub(super) struct Present {
    pub(super) store: Store,
    pub(super) engine: Engine,
    pub(super) relay: relay::Relay,
    pub(super) clock: Arc<dyn Clock>,
}

impl Present {
    /// Sets the gauges. What cannot be read keeps its last value, and the log says so.
    pub(super) async fn measure(&self, ears: &Ears) {
        if let Err(error) = self.count(ears).await {
            tracing::warn!(%error, "counting runs, dead letters and messages");
        }
        if let Err(error) = self.oldest(ears).await {
            tracing::warn!(%error, "looking for stuck runs");
        }
    }

    async fn count(&self, ears: &Ears) -> Result<(), store::Error> {
        let census = self.store.census().await?;
        for status in RunStatus::ALL.into_iter().filter(|status| !status.is_ended()) {
            let found = census.runs.iter().find(|(counted, _)| *counted == status);
            ears.metrics.live_runs(status.as_str(), found.map_or(0, |(_, count)| *count));
        }
        ears.metrics.open_dead_letters(census.dead);
        ears.metrics.outbox(census.outbox, self.age(census.outbox_since));
        let (backlog, lanes) = (self.store.outbox_backlog().await?, self.relay.lanes());
        ears.metrics.outbox_lanes(
            backlog.iter().map(|lane| (lane.lane.as_str(), lane.rows)),
            lanes.iter().map(|lane| (lane.lane.as_str(), lane.in_flight as u64)),
        );
        Ok(())
    }

    async fn oldest(&self, ears: &Ears) -> Result<(), flow::Error> {
        let first = RunFilter { limit: 1, ..RunFilter::default() };
        let stuck = self.engine.live(flow::Live { stuck: true, system: None }, &first, 0).await?;
        ears.metrics.oldest_stuck_run(self.age(stuck.runs.first().map(|row| row.started)));
        Ok(())
    }

    /// How long ago that was; zero when it was not.
    fn age(&self, since: Option<Timestamp>) -> Duration {
        let age = since.map(|since| self.clock.now().duration_since(since));
        age.and_then(|age| age.try_into().ok()).unwrap_or(Duration::ZERO)
    }
}
