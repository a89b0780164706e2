//! Trying again now, before the time has come: a system is back, or a person says so.

use std::collections::BTreeSet;

use port::{Rejection, normalised};
use store::{Batch, OutboxFilter, OutboxOp, OutboxRow, TimerOp};

use super::Engine;
use super::due::Due;
use super::runner::{Runner, Stop};
use crate::Error;

const PAGE: usize = 1000;

impl Engine {
    /// Lets the calls that wait for a system's breaker, or for a group that it is a member of, go from now on: who was held
    /// first goes first, one, then twice as many each time for as long as the system answers. Returns how many wait.
    pub fn wake(&self, system: &str) -> usize {
        let systems = self.asked_with(system);
        let woken = self.0.lines.lock().open(|system| systems.contains(system));
        self.0.timer_set.notify_one();
        woken
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

    /// The same for messages in the outbox; these are looked at by the relay at once.
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
            let id = Due::again(&path, None).id(&self.run);
            if let Some(asked) = self.asked(&path) {
                self.engine.0.lines.lock().let_go(&asked.whom(), &id, self.engine.0.clock.now());
            }
            rows.timers.push(TimerOp::Clear { id });
            decisions.extend(self.state.again(&self.definition, &path, self.engine.0.clock.now()));
        }
        self.turn_with(Vec::new(), decisions, rows).await
    }
}
