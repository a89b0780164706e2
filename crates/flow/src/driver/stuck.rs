//! Which runs do not go on as they should, and which wait for a system: what a person who is called at night looks for.

use std::collections::BTreeSet;

use port::{Rejection, normalised};
use serde::Deserialize;
use store::{RunFilter, RunRow, RunStatus};

use super::Engine;
use crate::Error;

/// At most so many live runs are looked at for one page.
const LOOK: usize = 10_000;
const PAGE: usize = 1000;
/// What may keep a call in.
pub(super) const GUARDS: [Rejection; 4] =
    [Rejection::BreakerOpen, Rejection::BulkheadFull, Rejection::RateLimited, Rejection::DeadlineTooNear];

/// Which live runs are meant; all of them unless something is said.
#[derive(Clone, Copy, Debug, Default)]
pub struct Live<'a> {
    /// Those that are paused, parked or queued, are kept in by a guard or blocked by what is not configured, or have taken
    /// longer than their flow's SLA.
    pub stuck: bool,
    /// Those that wait for this system, for a group that it is a member of, or for a member of this group.
    pub system: Option<&'a str>,
}

/// A page of live runs.
#[derive(Clone, Debug, Default)]
pub struct LivePage {
    /// The runs, in order of start; each says what it waits for.
    pub runs: Vec<RunRow>,
    /// After which position to look on; `None` when there is no more.
    pub next: Option<u64>,
}

impl Engine {
    /// Live runs after a position, in order of start. `filter.before` is not heeded. Looks at 10,000 live runs at most: a
    /// page may be short.
    ///
    /// # Errors
    /// The store's.
    pub async fn live(&self, live: Live<'_>, filter: &RunFilter, after: u64) -> Result<LivePage, Error> {
        let systems = live.system.map(|system| self.together_with(system));
        let (mut runs, mut after, mut looked) = (Vec::new(), after, 0);
        let limit = if filter.limit == 0 { PAGE } else { filter.limit };
        while looked < LOOK {
            let page = self.0.store.live_runs(after, PAGE).await?;
            if page.is_empty() {
                return Ok(LivePage { runs, next: None });
            }
            looked += page.len();
            for row in page {
                after = row.position;
                let meant =
                    is_meant(&row, filter) && systems.as_ref().is_none_or(|them| waits_for(&row, them));
                if meant && (!live.stuck || self.is_stuck(&row).await) {
                    runs.push(row);
                }
                if runs.len() == limit {
                    return Ok(LivePage { runs, next: Some(after) });
                }
            }
        }
        Ok(LivePage { runs, next: Some(after) })
    }

    async fn is_stuck(&self, row: &RunRow) -> bool {
        if self.0.lost.has(&row.id) {
            return true;
        }
        match row.status {
            RunStatus::Paused | RunStatus::Parked | RunStatus::Queued => true,
            RunStatus::Running | RunStatus::Waiting | RunStatus::Compensating => {
                is_kept_in(row) || self.is_late(row).await
            }
            RunStatus::Succeeded | RunStatus::Failed | RunStatus::Compensated | RunStatus::Cancelled => false,
        }
    }

    /// Longer than its flow's SLA. A run whose definition is lost does not go on at all.
    async fn is_late(&self, row: &RunRow) -> bool {
        let sla = match self.pinned(row).await {
            Ok(definition) => definition.sla,
            Err(_) => return true,
        };
        sla.is_some_and(|sla| row.started + sla < self.0.clock.now())
    }
}

fn is_meant(row: &RunRow, filter: &RunFilter) -> bool {
    let same = |wanted: &Option<String>, own: Option<&str>| wanted.is_none() || wanted.as_deref() == own;
    same(&filter.tenant, Some(&row.tenant))
        && same(&filter.flow, Some(&row.flow))
        && same(&filter.key, row.key.as_deref())
        && same(&filter.conversation, row.conversation.as_deref())
        && (filter.status.is_empty() || filter.status.contains(&row.status))
}

fn is_kept_in(row: &RunRow) -> bool {
    let kept_in = |reason: &str| reason == "blocked" || GUARDS.iter().any(|guard| guard.as_str() == reason);
    blocked(row).is_some_and(|blocked| kept_in(&blocked.reason))
}

fn waits_for(row: &RunRow, systems: &BTreeSet<String>) -> bool {
    blocked(row)
        .and_then(|blocked| blocked.system)
        .is_some_and(|system| systems.contains(&normalised(&system)))
}

#[derive(Deserialize)]
struct Blocked {
    reason: String,
    system: Option<String>,
}

fn blocked(row: &RunRow) -> Option<Blocked> {
    row.blocked_on.as_deref().and_then(|text| serde_json::from_str(text).ok())
}
