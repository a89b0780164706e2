//! Calls and the lines in which they wait: who may go out, who is told that it is its turn.

use std::time::Duration;

use jiff::Timestamp;
use port::{Fault, Outlook, Reply};

use super::Engine;
use super::due::{Asked, Due};
use super::lines::{Waiting, Whom};
use super::runner::Runner;
use crate::core::Effect;

/// How long until a call that has to wait behind others is looked at again, if nobody lets it out before.
const BEHIND_FOR: Duration = Duration::from_secs(1);

/// A call that is out, as its line sees it, also when it is dropped.
pub(super) struct Passage {
    engine: Engine,
    whom: Whom,
    id: String,
    well: Option<bool>,
}

impl Passage {
    /// What the call showed of its system. A business refusal is an answer of a system that is well.
    pub(super) fn ends(mut self, outcome: &Result<Reply, Fault>) {
        self.well = Some(match outcome {
            Ok(_) => true,
            Err(fault) => fault.rejection.is_none() && !fault.kind.may_pass(),
        });
    }
}

impl Drop for Passage {
    fn drop(&mut self) {
        self.engine.landed(&self.whom, &self.id, self.well);
    }
}

impl Runner {
    /// Lets a call out, unless others to the same system were held before it.
    pub(super) fn passage(&self, effect: &Effect) -> Result<Option<Passage>, Fault> {
        let mut lines = self.engine.0.lines.lock();
        if lines.is_empty() {
            return Ok(None);
        }
        let whom = Whom::of(&effect.system, &effect.operation, &self.state.start.tenant);
        let id = Due::again(&effect.path, None).id(&self.run);
        let since = self.state.record(&effect.path).map_or(self.state.now, |record| record.started);
        if let Some(guard) = lines.holds_back(&whom, &id, since) {
            self.engine.0.timer_set.notify_one();
            return Err(Fault::rejected(guard, Some(BEHIND_FOR)));
        }
        drop(lines);
        Ok(Some(Passage { engine: self.engine.clone(), whom, id, well: None }))
    }

    /// Whom a step's call is for that waits to be made again.
    pub(super) fn asked(&self, path: &str) -> Option<Asked> {
        let (system, call) = (self.state.asked_at(path)?, self.state.asked(path)?);
        Some(Asked {
            system: system.to_string(),
            operation: call.operation.to_string(),
            tenant: self.state.start.tenant.clone(),
            held: self.state.held_since(path),
        })
    }
}

impl Engine {
    pub(super) fn outlook(&self, whom: &Whom) -> Outlook {
        let link = self.0.systems.get(&whom.system);
        link.map_or(Outlook::Open, |link| link.outlook(&whom.operation, &whom.tenant))
    }

    fn landed(&self, whom: &Whom, id: &str, well: Option<bool>) {
        let (now, outlook) = (self.0.clock.now(), self.outlook(whom));
        let next = self.0.lines.lock().landed((whom, id), well, outlook, now);
        self.let_out(next);
    }

    /// Lets those go whose turn it is in every line. How long until there may be more.
    pub(super) fn release(&self, now: Timestamp) -> Option<Duration> {
        let (gone, next) = self.0.lines.lock().release(|whom| self.outlook(whom), now);
        self.let_out(gone);
        next
    }

    fn let_out(&self, gone: Vec<Waiting>) {
        for Waiting { run, id, path, .. } in gone {
            self.tell_due(id, &run, Some(Due::again(&path, None)));
        }
    }
}
