//! Timers whose rows are not what was written: they are set again as the journals of their runs have them.

use store::{Batch, RunRow, Timer, TimerOp};

use super::Engine;
use super::due::Due;
use super::load::Loaded;
use crate::Error;

impl Engine {
    /// Sets damaged timers again; the runs that may have been meant, to be looked at. To be done before timers are read.
    pub(super) async fn mend_timers(&self) -> Result<Vec<String>, Error> {
        let mut meant = Vec::new();
        for timer in self.0.store.damaged_timers().await? {
            // What is damaged may be the name of the run.
            let by_id = timer.id.split_once('/').map_or("", |(run, _)| run);
            let names = [by_id, timer.run.as_str()];
            for run in names.into_iter().take(if names[0] == names[1] { 1 } else { 2 }) {
                let row = self.0.store.run(run).await?.filter(|row| !row.status.is_ended());
                let Some(row) = row else { continue };
                meant.push(row.id.clone());
                self.mend(row, &timer).await?;
            }
        }
        Ok(meant)
    }

    async fn mend(&self, row: RunRow, damaged: &Timer) -> Result<(), Error> {
        let run = row.id.clone();
        let loaded = match self.read(row).await {
            Ok(loaded) => loaded,
            Err(error) => {
                tracing::error!(run, %error, "loading the run of a damaged timer");
                return Ok(());
            }
        };
        let is_it = |timer: &Timer| {
            timer.id == damaged.id || (timer.run == damaged.run && timer.step == damaged.step)
        };
        let Some(timer) = timers(&loaded).into_iter().find(is_it) else { return Ok(()) };
        tracing::warn!(run, timer = timer.id, "a damaged timer was set again as the journal has it");
        let timers = vec![TimerOp::Clear { id: damaged.id.clone() }, TimerOp::Set(timer)];
        self.0.store.commit(Batch { timers, ..Batch::default() }).await?;
        Ok(())
    }
}

/// Every timer that the run's journal knows of. Those after which a call is made again are set when the run is looked at.
fn timers(loaded: &Loaded) -> Vec<Timer> {
    let run = &loaded.row.id;
    let set = loaded.state.timers().into_iter();
    let mut timers: Vec<_> = set.map(|((path, kind), due)| Due::step(&path, kind).row(run, due)).collect();
    if let Some(due) = loaded.definition.sla.and_then(|sla| loaded.row.started.checked_add(sla).ok()) {
        timers.push(Due::Sla.row(run, due));
    }
    timers
}
