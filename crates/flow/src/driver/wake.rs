//! Trying again now, before the time has come: a system is back, or a person says so.

use std::sync::Arc;

use port::{Rejection, normalised};
use store::{Batch, OutboxFilter, OutboxOp, OutboxRow, RunRow, TimerOp};

use super::Engine;
use super::runner::{Runner, Stop};
use super::runs::Message;
use crate::Error;

/// At most so many runs are woken at once; the others go on at their time.
const MOST: usize = 1000;
const PAGE: usize = 1000;

impl Engine {
    /// Lets the runs that wait for a system's breaker ask it again now, at most 1000, the oldest first. Returns how
    /// many. Nothing is lost by a crash: their timers stay until they have asked.
    ///
    /// A run is found by the first of its steps that waits, as its row shows it.
    ///
    /// # Errors
    /// The store's.
    pub async fn wake(&self, system: &str) -> Result<usize, Error> {
        let system = normalised(system);
        let (mut woken, mut after) = (0, 0);
        loop {
            let page = self.0.store.live_runs(after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(woken) };
            after = last.position;
            for row in page.iter().filter(|row| waits_for(row, &system)).take(MOST - woken) {
                self.send(&row.id, Message::Wake { system: system.clone() });
                woken += 1;
            }
            if woken == MOST {
                return Ok(woken);
            }
        }
    }

    /// The same for messages in the outbox that wait for a system's breaker.
    ///
    /// # Errors
    /// The store's.
    pub async fn hurry(&self, system: &str) -> Result<usize, Error> {
        let (system, now) = (normalised(system), self.0.clock.now());
        let (mut hurried, mut filter) = (0, OutboxFilter { limit: PAGE, ..OutboxFilter::default() });
        loop {
            let page = self.0.store.outbox(&filter).await?;
            let Some(last) = page.last() else { return Ok(hurried) };
            filter.after = Some((last.created, last.id.clone()));
            let waiting = page.iter().filter(|row| is_for(row, &system)).take(MOST - hurried);
            let outbox: Vec<_> = waiting.map(|row| OutboxOp::Hurry { id: row.id.clone(), now }).collect();
            hurried += outbox.len();
            if !outbox.is_empty() {
                self.0.store.commit(Batch { outbox, ..Batch::default() }).await?;
                self.0.outbox_put.notify_one();
            }
            if hurried == MOST {
                return Ok(hurried);
            }
        }
    }
}

/// Whether a message waits for this system's breaker. The name is normalised.
fn is_for(row: &OutboxRow, system: &str) -> bool {
    let to = row.target.split_once('.').map_or(row.target.as_str(), |(to, _)| to);
    row.blocked.as_deref() == Some(Rejection::BreakerOpen.as_str()) && normalised(to) == system
}

impl Runner {
    /// A system's breaker lets calls out again. The name is normalised.
    pub(super) async fn wake(&mut self, system: &str) -> Result<(), Stop> {
        let open = Some(Rejection::BreakerOpen);
        let asleep = self.state.asleep().filter(|(_, guard)| *guard == open);
        let of_system =
            |path: &Arc<str>| self.state.asked(path).is_some_and(|call| normalised(&call.system) == system);
        let paths = asleep.map(|(path, _)| path).filter(of_system).collect();
        self.now(paths).await
    }

    /// Every step that would try again later tries now.
    pub(super) async fn hurry(&mut self) -> Result<(), Stop> {
        let paths = self.state.asleep().map(|(path, _)| path).collect();
        self.now(paths).await
    }

    async fn now(&mut self, paths: Vec<Arc<str>>) -> Result<(), Stop> {
        let (mut rows, mut decisions) = (Batch::default(), Vec::new());
        for path in paths {
            rows.timers.push(TimerOp::Clear { id: format!("{}/{path}#again", self.run) });
            decisions.extend(self.state.again(&self.definition, &path));
        }
        self.turn_with(Vec::new(), decisions, rows).await
    }
}

/// Whether what a run's row shows is that it waits for this system's breaker. The name is normalised.
fn waits_for(row: &RunRow, system: &str) -> bool {
    let Some(blocked) = row.blocked_on.as_deref().filter(|text| text.contains("breaker_open")) else {
        return false;
    };
    let blocked: serde_json::Value = serde_json::from_str(blocked).unwrap_or_default();
    blocked["reason"] == Rejection::BreakerOpen.as_str()
        && blocked["system"].as_str().is_some_and(|waited_for| normalised(waited_for) == system)
}
