//! Trying again now, before the time has come: a system is back, or a person says so.

use std::collections::BTreeSet;

use port::{Rejection, normalised};
use serde::Deserialize;
use store::{Batch, OutboxFilter, OutboxOp, OutboxRow, RunRow, Timer, TimerOp};

use super::pace::Target;
use super::runner::{Runner, Stop};
use super::{Engine, timers};
use crate::Error;

const PAGE: usize = 1000;

impl Engine {
    /// Lets the runs that wait for a system's breaker, or for a group that it is a member of, ask again from now on: the
    /// oldest first, one, then twice as many each time for as long as the system answers. Returns how many.
    ///
    /// A run is found by the first of its steps that waits, as its row shows it.
    ///
    /// # Errors
    /// The store's.
    pub async fn wake(&self, system: &str) -> Result<usize, Error> {
        let systems = self.asked_with(system);
        self.0.pace.lock().renew(systems.iter().cloned(), self.0.clock.now());
        let (mut woken, mut after) = (0, 0);
        loop {
            let page = self.0.store.live_runs(after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = last.position;
            let sooner = page.iter().filter_map(|row| self.sooner(row, &systems));
            let timers: Vec<TimerOp> = sooner.map(TimerOp::Set).collect();
            woken += timers.len();
            if !timers.is_empty() {
                self.0.store.commit(Batch { timers, ..Batch::default() }).await?;
            }
        }
        self.0.timer_set.notify_one();
        Ok(woken)
    }

    /// A system, the groups that it is a member of, and its members when it is itself a group.
    pub(super) fn together_with(&self, system: &str) -> BTreeSet<String> {
        let mut systems = self.asked_with(system);
        systems.extend(self.0.known.read().members(system).iter().map(|member| normalised(member)));
        systems
    }

    /// A system and the groups that it is a member of.
    fn asked_with(&self, system: &str) -> BTreeSet<String> {
        let system = normalised(system);
        let known = self.0.known.read();
        let member = |members: &Vec<String>| members.iter().any(|member| normalised(member) == system);
        let groups = known.groups.iter().filter(|(_, members)| member(members));
        groups.map(|(group, _)| normalised(group)).chain([system.clone()]).collect()
    }

    /// The timer of a run that waits for the breaker of one of these, moved to the next place.
    fn sooner(&self, row: &RunRow, systems: &BTreeSet<String>) -> Option<Timer> {
        #[derive(Deserialize)]
        struct Blocked<'a> {
            reason: &'a str,
            step: String,
            system: String,
        }
        let text = row.blocked_on.as_deref().filter(|text| text.contains(Rejection::BreakerOpen.as_str()))?;
        let Blocked { reason, step, system } = serde_json::from_str(text).ok()?;
        let asked = normalised(&system);
        if reason != Rejection::BreakerOpen.as_str() || !systems.contains(&asked) {
            return None;
        }
        let due = self.0.pace.lock().place(asked, self.0.clock.now());
        let target = Target { system: &system, operation: "", tenant: &row.tenant };
        let again = timers::again(&step, &target);
        Some(Timer { id: format!("{}/{step}#again", row.id), run: row.id.clone(), step: again, due })
    }

    /// The same for messages in the outbox; these go at once, as many at a time as are delivered together.
    ///
    /// # Errors
    /// The store's.
    pub async fn hurry(&self, system: &str) -> Result<usize, Error> {
        let (systems, now) = (self.asked_with(system), self.0.clock.now());
        let (mut hurried, mut filter) = (0, OutboxFilter { limit: PAGE, ..OutboxFilter::default() });
        loop {
            let page = self.0.store.outbox(&filter).await?;
            let Some(last) = page.last() else { break };
            filter.after = Some((last.created, last.id.clone()));
            let waiting = page.iter().filter(|row| is_for(row, &systems));
            let outbox: Vec<_> = waiting.map(|row| OutboxOp::Hurry { id: row.id.clone(), now }).collect();
            hurried += outbox.len();
            if !outbox.is_empty() {
                self.0.store.commit(Batch { outbox, ..Batch::default() }).await?;
            }
        }
        self.0.outbox_put.notify_one();
        Ok(hurried)
    }
}

/// Whether a message waits for the breaker of one of these.
fn is_for(row: &OutboxRow, systems: &BTreeSet<String>) -> bool {
    let to = row.target.split_once('.').map_or(row.target.as_str(), |(to, _)| to);
    row.blocked.as_deref() == Some(Rejection::BreakerOpen.as_str()) && systems.contains(&normalised(to))
}

impl Runner {
    /// Every step that would try again later tries now.
    pub(super) async fn hurry(&mut self) -> Result<(), Stop> {
        let paths: Vec<_> = self.state.asleep().collect();
        let (mut rows, mut decisions) = (Batch::default(), Vec::new());
        for path in paths {
            rows.timers.push(TimerOp::Clear { id: format!("{}/{path}#again", self.run) });
            decisions.extend(self.state.again(&self.definition, &path));
        }
        self.turn_with(Vec::new(), decisions, rows).await
    }
}
