//! Beginning runs and signalling them: rows in a batch that somebody else commits.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;
use store::{Append, Batch, DefinitionRow, Expected, RunRow, RunStatus, Signal, SignalOp, TimerOp};

use super::due::Due;
use super::load::{Loaded, entry};
use super::once::Sole;
use super::runs::Message;
use super::{Engine, RunId};
use crate::Error;
use crate::core::{Event, Parent, Start, State};
use crate::definition::Definition;

/// What flows mean today; see [`Start::language`].
const LANGUAGE: u32 = 1;

impl Engine {
    /// Adds the beginning of a run to a batch. When the batch is committed, tell with [`Engine::committed`].
    ///
    /// A run of this id that exists already makes the whole batch be refused with [`store::Error::Version`].
    ///
    /// # Errors
    /// [`Error::UnknownFlow`], and [`Error::Key`] when the flow's `key` has no value for this input.
    pub fn begin(&self, batch: &mut Batch, start: Start) -> Result<RunId, Error> {
        Ok(self.write_beginning(batch, self.beginning(start, None)?))
    }

    /// What a run begins with; nothing of it is written yet.
    pub(super) fn beginning(&self, mut start: Start, parent: Option<Parent>) -> Result<Beginning, Error> {
        let flow = self.flow(&start.flow).ok_or_else(|| Error::UnknownFlow(start.flow.clone()))?;
        let now = self.0.clock.now();
        start.parent = parent;
        start.hash = flow.hash.to_string();
        start.scheme = crate::core::SCHEME;
        start.installation = self.0.store.installation().to_string();
        start.language = LANGUAGE;
        start.refused = start.lineage.as_ref().and_then(|lineage| self.too_deep(lineage, &start.flow));
        let mut state = State::new(Arc::new(start), now);
        let key = evaluated(&flow, flow.key.as_ref(), &state)?;
        let sole = Sole::of(&flow, &state)?;
        let begun = Arc::make_mut(&mut state.start);
        begun.key = key;
        begun.space = flow.space.as_deref().map(str::to_owned);
        Ok(Beginning { flow, state, sole, now })
    }

    /// Adds the rows that begin the run.
    pub(super) fn write_beginning(&self, batch: &mut Batch, beginning: Beginning) -> RunId {
        let Beginning { flow, mut state, sole, now } = beginning;
        let start = state.start.clone();
        self.count(batch, &start);
        if let Some(sole) = sole {
            sole.write(batch, &start, now);
        }
        let mut events = vec![entry(&Event::RunStarted(start.clone()), &start, now)];
        // Nothing to wait for and nothing to say: the run is taken with its first entry.
        if start.place().is_none() && start.commit.is_none() {
            events.push(entry(&Event::RunTaken, &start, now));
            state.apply(&flow, &Event::RunTaken, now);
        }
        let (version, row) = (events.len() as u64, row(&start, state.status(), now));
        batch.appends.push(Append { stream: stream(&start.run), expected: Expected::NoStream, events });
        batch.runs.push(row.clone());
        batch.definitions.extend(self.unkept(&flow, now));
        batch.timers.extend(flow.sla.map(|sla| sla_timer(&start.run, now + sla)));
        RunId::begun(Loaded { row, definition: flow, state, version })
    }

    /// The row of a flow that the store does not have yet, as far as this process knows.
    fn unkept(&self, flow: &Definition, now: Timestamp) -> Option<DefinitionRow> {
        (!self.0.kept.read().contains(&flow.hash)).then(|| definition(flow, now))
    }

    /// Adds an answer to a batch: for a step that waits, or for a `listen` to a signal of that name. The same `id`
    /// twice has no effect. When the batch is committed, tell with [`Engine::committed`].
    pub fn signal(&self, batch: &mut Batch, run: &str, step: &str, id: &str, payload: &Value) {
        batch.signals.push(SignalOp::Put(Signal {
            run: run.to_owned(),
            id: id.to_owned(),
            name: step.to_owned(),
            payload: payload.to_string().into_bytes(),
        }));
    }

    /// Wakes runs whose batch was committed. Losing this call is harmless: the next start finds them.
    pub fn committed(&self, runs: &[RunId]) {
        for run in runs {
            let begun = run.take();
            if let Some(begun) = &begun {
                self.keeps(&begun.definition);
            }
            self.send_to(run.as_str(), begun, Message::Look);
        }
    }

    /// A run of this flow is durable, its definition with it.
    fn keeps(&self, flow: &Definition) {
        if !self.0.kept.read().contains(&flow.hash) {
            self.0.kept.write().insert(flow.hash.clone());
        }
        if flow.sla.is_some() {
            self.0.timer_set.notify_one();
        }
    }
}

/// A run that may begin.
pub(super) struct Beginning {
    flow: Arc<Definition>,
    state: State,
    /// The key of which it is the only one.
    pub(super) sole: Option<Sole>,
    now: Timestamp,
}

impl Beginning {
    pub(super) fn start(&self) -> &Start {
        &self.state.start
    }
}

/// The key that a flow's mapping gives a run.
pub(super) fn evaluated(
    flow: &Definition,
    key: Option<&expr::Mapping>,
    state: &State,
) -> Result<Option<String>, Error> {
    let Some(key) = key else { return Ok(None) };
    let unsound = |error: expr::Error| Error::Key { flow: flow.name.to_string(), cause: error.message };
    Ok(match key.eval(&state.outer_scope()).map_err(unsound)? {
        Value::Null => None,
        Value::String(text) => Some(text),
        other => Some(other.to_string()),
    })
}

fn definition(flow: &Definition, now: Timestamp) -> DefinitionRow {
    let source = flow.source.to_string().into_bytes();
    DefinitionRow { hash: flow.hash.to_string(), name: flow.name.to_string(), source, created: now }
}

fn sla_timer(run: &str, due: Timestamp) -> TimerOp {
    TimerOp::Set(Due::Sla.row(run, due))
}

pub(super) fn row(start: &Start, status: RunStatus, started: Timestamp) -> RunRow {
    RunRow {
        id: start.run.clone(),
        tenant: start.tenant.clone(),
        flow: start.flow.clone(),
        hash: start.hash.clone(),
        key: start.key.clone(),
        line: start.place().map(|place| place.line),
        status,
        conversation: start.conversation.clone(),
        commit: start.commit.clone(),
        started,
        updated: started,
        ended: None,
        blocked_on: None,
        position: 0,
    }
}

/// The stream that is a run's journal.
pub(super) fn stream(run: &str) -> String {
    format!("run-{run}")
}
