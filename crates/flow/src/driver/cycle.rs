//! Runs that would wait for each other for ever: a child waits for a key that another run has, which waits for a child of its
//! own, which waits for a key that a run above the first one has.

use std::collections::BTreeSet;

use store::{RunRow, RunStatus};

use super::Engine;
use super::runner::{Runner, Stop};
use crate::Error;
use crate::core::Start;

/// At most so many runs are looked at.
const MOST: usize = 256;

impl Runner {
    /// Who waits for whom, when the run ahead waits for a run that this one belongs to. Of those that could give way the one
    /// that began last does; another one is told to look.
    pub(super) async fn waits_for_itself(&mut self, ahead: &RunRow) -> Result<Option<String>, Stop> {
        if self.state.start.parent.is_none() {
            return Ok(None); // nobody waits for it
        }
        let above = self.engine.above(&self.state.start).await?;
        let Some(other) = self.engine.queued_behind(ahead, &above).await? else { return Ok(None) };
        let own = self.engine.0.store.run(&self.run).await?;
        if own.is_some_and(|own| own.position < other.position) {
            self.engine.send(&other.id, super::runs::Message::Look);
            return Ok(None);
        }
        Ok(Some(format!(
            "run {} has it and waits for run {}, which waits for a key of this one's",
            ahead.id, other.id
        )))
    }
}

impl Engine {
    /// The runs that wait for this one, its parent first.
    async fn above(&self, start: &Start) -> Result<BTreeSet<String>, Error> {
        let (mut above, mut next) = (BTreeSet::new(), start.parent.clone());
        while let Some(parent) = next.take().filter(|_| above.len() < MOST) {
            next = self.load(&parent.run).await?.state.start.parent.clone();
            above.insert(parent.run);
        }
        Ok(above)
    }

    /// A run that queues, below or behind this one, for a key that one of `above` has.
    async fn queued_behind(&self, row: &RunRow, above: &BTreeSet<String>) -> Result<Option<RunRow>, Error> {
        let (mut seen, mut open) = (BTreeSet::new(), vec![row.id.clone()]);
        while let Some(run) = open.pop().filter(|_| seen.len() < MOST) {
            if !seen.insert(run.clone()) {
                continue;
            }
            let loaded = self.load(&run).await?;
            let place = loaded.state.place().filter(|_| loaded.row.status == RunStatus::Queued);
            if let Some(place) = place {
                let had_turn = loaded.state.ends > 0;
                let ahead = self.ahead(&run, &loaded.row.tenant, &place, had_turn).await?;
                match ahead {
                    Some(ahead) if above.contains(&ahead.id) => return Ok(Some(loaded.row)),
                    Some(ahead) => open.push(ahead.id),
                    None => {}
                }
            }
            open.extend(loaded.state.runs_below());
        }
        Ok(None)
    }
}
