//! Writes one batch into the open transaction, or refuses it.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::Connection;

use super::events::{self, Place};
use super::fault::Fault;
use super::{answers, checkpoints, dead, keys, meta, outbox, runs, signals, states, timers};
use crate::lease::Fence;
use crate::mutants::Mutant;
use crate::{Append, Batch, Error, Lease, Receipt};

/// Streams whose id and version are remembered.
const REMEMBERED: usize = 65_536;

/// What the writer knows by heart: the head of the log, the streams it saw last, and whose batches it takes.
///
/// It is ahead of the disk while a transaction is open; [`Ledger::forget`] takes it back.
pub(super) struct Ledger {
    head: u64,
    streams: HashMap<String, Stream>,
    fence: Arc<Fence>,
    /// The epoch that the store says it is written under.
    kept: u64,
}

#[derive(Clone, Copy)]
struct Stream {
    /// Given at the first event.
    id: Option<i64>,
    version: u64,
}

impl Ledger {
    pub(super) fn new(head: u64, fence: Arc<Fence>) -> Self {
        Self { head, streams: HashMap::new(), fence, kept: 0 }
    }

    pub(super) fn fence(&self) -> &Arc<Fence> {
        &self.fence
    }

    /// The last position that was given.
    pub(super) fn head(&self) -> u64 {
        self.head
    }

    /// After a rollback: back to `head`, and the streams are looked up again.
    pub(super) fn forget(&mut self, head: u64) {
        self.head = head;
        self.streams.clear();
        self.kept = 0;
    }

    /// With the first batch of an epoch the store says so: whatever was written under it is known by that later.
    fn keep(&mut self, connection: &Connection, lease: &Lease) -> Result<(), Fault> {
        if self.kept != lease.epoch {
            meta::keep(connection, lease)?;
            self.kept = lease.epoch;
        }
        Ok(())
    }

    fn stream(&mut self, connection: &Connection, name: &str) -> Result<Stream, Fault> {
        if let Some(stream) = self.streams.get(name) {
            return Ok(*stream);
        }
        let id = events::stream_id(connection, name)?;
        let version = id.map_or(Ok(0), |id| events::version_of(connection, id))?;
        let stream = Stream { id, version };
        if self.streams.len() >= REMEMBERED {
            self.streams.clear();
        }
        self.streams.insert(name.to_owned(), stream);
        Ok(stream)
    }

    fn append(&mut self, connection: &Connection, append: &Append) -> Result<u64, Fault> {
        let mut stream = self.stream(connection, &append.stream)?;
        if append.events.is_empty() {
            return Ok(stream.version);
        }
        let stream_id = stream.id.map_or_else(|| events::insert_stream(connection, &append.stream), Ok)?;
        stream.id = Some(stream_id);
        for event in &append.events {
            self.head += 1;
            stream.version += 1;
            let place =
                Place { position: self.head, stream: &append.stream, stream_id, version: stream.version };
            events::insert(connection, &place, event)?;
        }
        self.streams.insert(append.stream.clone(), stream);
        Ok(stream.version)
    }
}

/// Writes one batch. What it expects of streams is checked before anything is written, so that a refusal mostly
/// costs nothing; after a refusal that comes later, the transaction has to be rolled back.
pub(super) fn apply(
    connection: &Connection,
    ledger: &mut Ledger,
    (batch, lease): (&Batch, &Lease),
) -> Result<Receipt, Fault> {
    ledger.fence.check(lease)?;
    check_versions(connection, ledger, &batch.appends)?;
    ledger.keep(connection, lease)?;
    for op in &batch.keys {
        keys::apply(connection, op, &ledger.fence)?;
    }
    for op in &batch.dead {
        dead::apply(connection, op)?;
    }
    let first = ledger.head + 1;
    let mut versions = Vec::with_capacity(batch.appends.len());
    for append in &batch.appends {
        versions.push(ledger.append(connection, append)?);
    }
    apply_rows(connection, ledger.head, batch)?;
    Ok(Receipt { position: ledger.head, first, versions })
}

fn apply_rows(connection: &Connection, head: u64, batch: &Batch) -> Result<(), Fault> {
    for state in &batch.states {
        states::apply(connection, state, head)?;
    }
    for definition in &batch.definitions {
        runs::define(connection, definition)?;
    }
    for run in &batch.runs {
        runs::apply(connection, run)?;
    }
    for op in &batch.timers {
        timers::apply(connection, op)?;
    }
    for op in &batch.signals {
        signals::apply(connection, op)?;
    }
    for op in &batch.outbox {
        outbox::apply(connection, op)?;
    }
    for op in &batch.answers {
        answers::apply(connection, op)?;
    }
    for checkpoint in &batch.checkpoints {
        checkpoints::apply(connection, checkpoint)?;
    }
    Ok(())
}

/// Compares each append with its stream as the appends before it in the batch will leave it.
fn check_versions(connection: &Connection, ledger: &mut Ledger, appends: &[Append]) -> Result<(), Fault> {
    let mut ahead: HashMap<&str, u64> = HashMap::new();
    for append in appends {
        let actual = match ahead.get(append.stream.as_str()) {
            Some(version) => *version,
            None => ledger.stream(connection, &append.stream)?.version,
        };
        if !append.expected.allows(actual) && !Mutant::IgnoreExpectedVersion.is_on() {
            let (stream, expected) = (append.stream.clone(), append.expected);
            return Err(Error::Version { stream, expected, actual }.into());
        }
        if appends.len() > 1 {
            ahead.insert(&append.stream, actual + append.events.len() as u64);
        }
    }
    Ok(())
}
