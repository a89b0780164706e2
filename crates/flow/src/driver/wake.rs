//! Trying again now, before the time has come: a system is back, or a person says so.

use std::sync::Arc;

use port::{Rejection, normalised};
use store::{Batch, RunRow, TimerOp};

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
