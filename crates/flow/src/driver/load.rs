//! Reading runs back: the journal folded into a state, with the definition it pinned.

use std::sync::Arc;

use jiff::Timestamp;
use store::{NewEvent, RunRow, RunStatus};

use super::Engine;
use super::begin::stream;
use super::runs::Message;
use crate::core::{Event, Start, State};
use crate::definition::{Definition, revive};
use crate::{Error, RunView};

/// A run as its journal has it.
pub(super) struct Loaded {
    pub(super) row: RunRow,
    pub(super) definition: Arc<Definition>,
    pub(super) state: State,
    pub(super) version: u64,
}

impl Loaded {
    /// The run as people see it.
    pub(super) fn view(&self) -> RunView {
        crate::view::of(&self.row, &self.definition, &self.state)
    }
}

const PAGE: usize = 1000;

impl Engine {
    pub(super) async fn load(&self, run: &str) -> Result<Loaded, Error> {
        let row = self.0.store.run(run).await?.ok_or_else(|| Error::UnknownRun(run.to_owned()))?;
        self.read(row).await
    }

    /// Reads the journal of a run whose row is at hand.
    pub(super) async fn read(&self, row: RunRow) -> Result<Loaded, Error> {
        let definition = self.pinned(&row).await?;
        let run = row.id.as_str();
        let (mut state, mut version) = (None, 0);
        loop {
            let page = self.0.store.stream(&stream(run), version, PAGE).await?;
            let Some(last) = page.last() else { break };
            version = last.version;
            for found in &page {
                fold(&mut state, &definition, found)?;
            }
            if version > self.0.limits.journal {
                let cause = format!("the journal has more than {} entries", self.0.limits.journal);
                return Err(Error::Journal { run: run.to_owned(), version, cause });
            }
        }
        let state = state.ok_or_else(|| Error::UnknownRun(run.to_owned()))?;
        Ok(Loaded { row, definition, state, version })
    }

    /// How a run was begun, as its journal has it; `None` of a run that never was.
    ///
    /// # Errors
    /// The store's.
    pub async fn started(&self, run: &str) -> Result<Option<Arc<Start>>, Error> {
        let journal = self.0.store.stream(&stream(run), 0, 1).await?;
        let first = journal.first().and_then(|event| serde_json::from_slice(&event.data).ok());
        Ok(match first {
            Some(Event::RunStarted(start)) => Some(start),
            Some(_) | None => None,
        })
    }

    /// A run that has just been begun is as it was begun; anything else is as its journal has it.
    ///
    /// One that is not taken can do nothing before it has written an entry, which its version would refuse. One that
    /// is taken would call at once, so it first makes sure that nobody has gone on with it.
    pub(super) async fn recall(&self, run: &str, begun: Option<Loaded>) -> Result<Loaded, Error> {
        match begun {
            Some(begun) if !begun.state.taken => Ok(begun),
            Some(begun) if self.0.store.version(&stream(run)).await? == begun.version => Ok(begun),
            Some(_) | None => self.load(run).await,
        }
    }

    pub(super) async fn pinned(&self, row: &RunRow) -> Result<Arc<Definition>, Error> {
        if let Some(found) = self.0.pinned.read().get(row.hash.as_str()) {
            return Ok(found.clone());
        }
        let kept = self.0.store.definition(&row.hash).await?;
        let known = self.0.known.read().clone();
        let revived = kept.and_then(|kept| revive(&kept.name, &kept.source, &known));
        let missing = || Error::NoDefinition { run: row.id.clone(), hash: row.hash.clone() };
        let definition = Arc::new(revived.ok_or_else(missing)?);
        self.0.pinned.write().insert(row.hash.as_str().into(), definition.clone());
        Ok(definition)
    }

    /// Wakes every live run that has something to do. Those that wait for a timer alone, or are paused, stay on disk. A
    /// parked one may have been told that a run which it began is undone by now.
    pub(super) async fn resume_all(&self) -> Result<(), Error> {
        let mut after = 0;
        loop {
            let page = self.0.store.live_runs(after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.position;
            for row in page.iter().filter(|row| !sleeps(row) && !store::mutant("wake-nobody")) {
                self.send(&row.id, Message::Look);
            }
        }
    }
}

pub(super) fn fold(
    state: &mut Option<State>,
    definition: &Definition,
    found: &store::Event,
) -> Result<(), Error> {
    let event = serde_json::from_slice(&found.data).map_err(|error| Error::Journal {
        run: found.stream.trim_start_matches("run-").to_owned(),
        version: found.version,
        cause: error.to_string(),
    })?;
    match (state.as_mut(), event) {
        (None, Event::RunStarted(start)) => *state = Some(State::new(start, found.at)),
        (Some(state), event) => drop(state.apply(definition, &event, found.at)),
        (None, _) => {}
    }
    Ok(())
}

fn sleeps(row: &RunRow) -> bool {
    match row.status {
        RunStatus::Paused => true,
        RunStatus::Waiting => {
            row.blocked_on.as_deref().is_some_and(|blocked| blocked.contains("\"timer_only\":true"))
        }
        _ => false,
    }
}

/// A journal entry for the log.
pub(super) fn entry(event: &Event, start: &Start, at: Timestamp) -> NewEvent {
    NewEvent {
        type_: event.name().into(),
        data: serde_json::to_vec(event).unwrap_or_default(),
        at,
        tenant: start.tenant.as_str().into(),
        correlation: start.correlation.as_str().into(),
        causation: start.commit.as_deref().map(Into::into),
    }
}
