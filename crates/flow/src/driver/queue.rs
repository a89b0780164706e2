//! One run at a time per line and key, in order of start. The store says who is first; nothing is kept in memory.
//!
//! A run has its place until its undoing is over, also while that waits for a person. One that is undone or restarted after it
//! had ended comes back to its place, and waits until nobody else is at work.

use std::time::Duration;

use conversation::Change;
use store::{Append, Batch, Expected, RunFilter, RunRow, RunStatus, Signal, SignalOp};

use super::Engine;
use super::begin::stream;
use super::runner::{Runner, Stop};
use super::runs::Message;
use crate::core::{Decision, Ended, Event, Failure, LinePlace};
use crate::definition::Busy;

/// How long until it is looked again who is next, when the store did not say.
const AWHILE: Duration = Duration::from_secs(1);
/// So many of a line are looked at when one is to pass all of them.
const LINE: usize = 1000;

impl Engine {
    /// The run that a run with this place must wait for. One that had its turn before is not to overtake who is at work.
    pub(super) async fn ahead(
        &self,
        run: &str,
        tenant: &str,
        place: &LinePlace,
        had_turn: bool,
    ) -> Result<Option<RunRow>, store::Error> {
        let first = self.line(tenant, place, 1).await?.pop().filter(|first| first.id != run);
        if first.is_some() || !had_turn {
            return Ok(first);
        }
        let line = self.line(tenant, place, LINE).await?;
        Ok(line.into_iter().find(|row| row.id != run && row.status != RunStatus::Queued))
    }

    /// The last run of this one's line and key that came after it and has succeeded.
    pub(super) async fn later(&self, run: &str) -> Result<Option<String>, store::Error> {
        let Some(own) = self.0.store.run(run).await? else { return Ok(None) };
        let Some(key) = own.key.clone() else { return Ok(None) };
        let line = |row: &RunRow| row.line.as_ref().unwrap_or(&row.flow).clone();
        let (tenant, status) = (Some(own.tenant.clone()), vec![RunStatus::Succeeded]);
        let filter = RunFilter { tenant, key: Some(key), status, ..RunFilter::default() };
        let rows = self.0.store.runs(&filter).await?;
        let later = rows.into_iter().find(|row| row.position > own.position && line(row) == line(&own));
        Ok(later.map(|row| row.id))
    }

    async fn line(&self, tenant: &str, place: &LinePlace, limit: usize) -> Result<Vec<RunRow>, store::Error> {
        self.0.store.in_line(tenant, &place.line, &place.key, limit).await
    }
}

impl Runner {
    /// This run has ended, or gives its place up: who is next is told.
    pub(super) fn next_in_line(&self) {
        let Some(place) = self.state.start.place() else { return };
        let (engine, start) = (self.engine.clone(), self.state.start.clone());
        self.engine.keep(async move {
            loop {
                match engine.line(&start.tenant, &place, 1).await {
                    Ok(mut first) => match first.pop() {
                        Some(next) => return engine.send(&next.id, Message::Look),
                        None => return,
                    },
                    Err(error) => {
                        tracing::warn!(run = start.run, %error, "looking for the next run of a key")
                    }
                }
                tokio::time::sleep(AWHILE).await;
            }
        });
    }

    /// Begins the run, or its undoing, when it is its turn.
    pub(super) async fn take_turn(&mut self) -> Result<(), Stop> {
        if let Some(place) = self.state.place().filter(|_| !store::mutant("everybody-first")) {
            let (tenant, had_turn) = (self.state.start.tenant.clone(), self.state.ends > 0);
            if let Some(ahead) = self.engine.ahead(&self.run, &tenant, &place, had_turn).await? {
                return self.behind(&place, ahead).await;
            }
        }
        if self.state.may_be_overtaken()
            && let Some(later) = self.engine.later(&self.run).await?
        {
            return self.turn(vec![Event::UndoRefused { later }], Vec::new()).await;
        }
        self.take().await
    }

    async fn take(&mut self) -> Result<(), Stop> {
        let start = &self.state.start;
        let answers = start.commit.is_some() && start.conversation.is_some() && !self.state.is_undone();
        self.turn_telling(vec![Event::RunTaken], answers.then_some(Change::InProgress)).await
    }

    /// Another run has the key.
    async fn behind(&mut self, place: &LinePlace, ahead: RunRow) -> Result<(), Stop> {
        if self.state.ends > 0 {
            return Ok(());
        }
        match self.definition.busy {
            Busy::Wait => self.unless_for_ever(place, &ahead).await,
            Busy::Reject => self.give_way(place, &ahead).await,
            Busy::Signal => self.hand_over(&ahead).await,
            Busy::Cancel => self.cancel_line(place).await,
        }
    }

    /// Waiting is no use when the run ahead waits, through others, for one that this run belongs to.
    async fn unless_for_ever(&mut self, place: &LinePlace, ahead: &RunRow) -> Result<(), Stop> {
        let Some(why) = self.waits_for_itself(ahead).await? else { return Ok(()) };
        let cycle = crate::Error::KeyCycle { run: self.run.clone(), key: place.key.clone(), why };
        self.fails(cycle.code(), cycle.to_string()).await
    }

    async fn give_way(&mut self, place: &LinePlace, ahead: &RunRow) -> Result<(), Stop> {
        let said = format!("run {} with the key {:?} is {}", ahead.id, place.key, ahead.status.as_str());
        self.fails("flow.key_busy", said).await
    }

    async fn fails(&mut self, code: &str, said: String) -> Result<(), Stop> {
        let error = Failure::new(&"".into(), code, said);
        let ended = Ended { status: RunStatus::Failed, result: serde_json::Value::Null, error: Some(error) };
        self.turn(Vec::new(), vec![Decision::End(Box::new(ended))]).await
    }

    /// The run ahead is signalled and this one ends, in one commit, which holds only if the other has not moved meanwhile.
    async fn hand_over(&mut self, ahead: &RunRow) -> Result<(), Stop> {
        let stream = stream(&ahead.id);
        let version = self.engine.0.store.version(&stream).await?;
        let row = self.engine.0.store.run(&ahead.id).await?;
        let goes = row.is_some_and(|row| row.status == RunStatus::Queued || is_going(row.status));
        if !goes {
            return Ok(());
        }
        let signal = Signal {
            run: ahead.id.clone(),
            id: format!("busy/{}", self.run),
            name: "busy".to_owned(),
            payload: self.state.start.input.to_string().into_bytes(),
        };
        let unmoved = Append { stream, expected: Expected::Version(version), events: Vec::new() };
        let rows = Batch { appends: vec![unmoved], signals: vec![SignalOp::Put(signal)], ..Batch::default() };
        let result = serde_json::json!({ "handed_over_to": ahead.id });
        let ended = Ended { status: RunStatus::Succeeded, result, error: None };
        self.turn_with(Vec::new(), vec![Decision::End(Box::new(ended))], rows).await?;
        self.engine.send(&ahead.id, Message::Look);
        Ok(())
    }

    async fn cancel_line(&mut self, place: &LinePlace) -> Result<(), Stop> {
        let line = self.engine.line(&self.state.start.tenant, place, LINE).await?;
        for ahead in line.into_iter().take_while(|row| row.id != self.run) {
            if ahead.status == RunStatus::Queued || is_going(ahead.status) {
                self.engine.cancel_ahead(ahead.id, &self.run);
            }
        }
        Ok(())
    }
}

/// Whether a run is at what it is for: it can be told something, or be cancelled.
fn is_going(status: RunStatus) -> bool {
    matches!(status, RunStatus::Running | RunStatus::Waiting | RunStatus::Paused)
}
