//! Beginning runs and signalling them: rows in a batch that somebody else commits.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;
use store::{Append, Batch, DefinitionRow, Expected, RunRow, RunStatus, Signal, SignalOp, Timer, TimerOp};
use xxhash_rust::xxh3::xxh3_128;

use super::Engine;
use super::load::entry;
use super::runs::Message;
use crate::Error;
use crate::core::{Event, Parent, Start, State};
use crate::definition::Definition;

/// A run's id: `run_` and 32 hexadecimal digits, the same whenever the same commit starts the same flow.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RunId(Arc<str>);

impl RunId {
    /// The run that a commit act of a conversation starts; never a second one.
    pub fn of_commit(tenant: &str, conversation: &str, commit: &str, flow: &str) -> Self {
        Self::of(&[tenant, conversation, commit, flow])
    }

    pub(super) fn of_child(parent: &str, path: &str) -> Self {
        Self::of(&[parent, path])
    }

    fn of(parts: &[&str]) -> Self {
        Self(format!("run_{:032x}", xxh3_128(parts.join("\u{1f}").as_bytes())).into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for RunId {
    fn from(id: &str) -> Self {
        Self(id.into())
    }
}

impl Engine {
    /// Adds the beginning of a run to a batch. When the batch is committed, tell with [`Engine::committed`].
    ///
    /// A run of this id that exists already makes the whole batch be refused with [`store::Error::Version`].
    ///
    /// # Errors
    /// [`Error::UnknownFlow`], and [`Error::Key`] when the flow's `key` has no value for this input.
    pub fn begin(&self, batch: &mut Batch, start: Start) -> Result<RunId, Error> {
        self.begin_for(batch, start, None)
    }

    pub(super) fn begin_for(
        &self,
        batch: &mut Batch,
        mut start: Start,
        parent: Option<Parent>,
    ) -> Result<RunId, Error> {
        let flow = self.flow(&start.flow).ok_or_else(|| Error::UnknownFlow(start.flow.clone()))?;
        let now = self.0.clock.now();
        start.parent = parent;
        start.hash = flow.hash.to_string();
        start.key = key(&flow, &start, now)?;
        // Nothing to wait for and nothing to say: the run is taken with its first entry.
        let taken = start.key.is_none() && start.commit.is_none();
        let status = if taken { RunStatus::Running } else { RunStatus::Queued };
        let mut events = vec![entry(&Event::RunStarted(Box::new(start.clone())), &start, now)];
        events.extend(taken.then(|| entry(&Event::RunTaken, &start, now)));
        batch.appends.push(Append { stream: stream(&start.run), expected: Expected::NoStream, events });
        batch.runs.push(row(&start, status, now));
        batch.definitions.push(definition(&flow, now));
        batch.timers.extend(flow.sla.map(|sla| sla_timer(&start.run, now + sla)));
        Ok(RunId::from(start.run.as_str()))
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
            self.send(run.as_str(), Message::Look);
        }
    }
}

fn key(flow: &Definition, start: &Start, now: Timestamp) -> Result<Option<String>, Error> {
    let Some(key) = &flow.key else { return Ok(None) };
    let state = State::new(start.clone(), now);
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
    TimerOp::Set(Timer { id: sla_id(run), run: run.to_owned(), step: "#sla".to_owned(), due })
}

/// The id of a run's SLA timer.
pub(super) fn sla_id(run: &str) -> String {
    format!("{run}/#sla")
}

pub(super) fn row(start: &Start, status: RunStatus, started: Timestamp) -> RunRow {
    RunRow {
        id: start.run.clone(),
        tenant: start.tenant.clone(),
        flow: start.flow.clone(),
        hash: start.hash.clone(),
        key: start.key.clone(),
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
