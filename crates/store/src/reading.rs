//! What can be read. Every read sees one consistent state, and what was acknowledged before it began.
//!
//! A page ends at the asked limit, at [`crate::Options::page_rows`] or at [`crate::Options::page_bytes`], whichever
//! comes first: only an empty page is the end.

use std::time::Duration;

use jiff::Timestamp;

use crate::{
    DeadFilter, DeadLetter, DefinitionRow, Error, Event, KeyRecord, OutboxRow, RunFilter, RunRow, Signal,
    StateRow, Store, Timer,
};

/// What a query found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// Names of the columns.
    pub columns: Vec<String>,
    /// The rows.
    pub rows: Vec<Vec<Cell>>,
    /// Whether there was more than the limit.
    pub more: bool,
}

/// One value of a [`Table`].
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// NULL.
    Null,
    /// A whole number.
    Integer(i64),
    /// A number.
    Real(f64),
    /// Text; bytes that are not UTF-8 were replaced.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

impl Store {
    /// Events of one stream after a version, in order.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when an event is not what was written; [`Error::Io`].
    pub async fn stream(
        &self,
        _stream: &str,
        _after_version: u64,
        _limit: usize,
    ) -> Result<Vec<Event>, Error> {
        unimplemented!("lands next")
    }

    /// The version of a stream: how many events it has; 0 when it does not exist.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub async fn version(&self, _stream: &str) -> Result<u64, Error> {
        unimplemented!("lands next")
    }

    /// Events of the whole log after a position, in order and without gaps.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when an event is missing or not what was written; [`Error::Io`].
    pub async fn log(&self, _after_position: u64, _limit: usize) -> Result<Vec<Event>, Error> {
        unimplemented!("lands next")
    }

    /// One projection row.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`].
    pub async fn state(&self, _kind: &'static str, _id: &str) -> Result<Option<StateRow>, Error> {
        unimplemented!("lands next")
    }

    /// Projection rows whose id begins with `prefix`, in order of id, after the given id.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`].
    pub async fn states(
        &self,
        _kind: &'static str,
        _prefix: &str,
        _after: Option<&str>,
        _limit: usize,
    ) -> Result<Vec<StateRow>, Error> {
        unimplemented!("lands next")
    }

    /// One run.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`].
    pub async fn run(&self, _id: &str) -> Result<Option<RunRow>, Error> {
        unimplemented!("lands next")
    }

    /// Runs, newest first.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`].
    pub async fn runs(&self, _filter: &RunFilter) -> Result<Vec<RunRow>, Error> {
        unimplemented!("lands next")
    }

    /// Runs that have not ended, in order of start, after the given `position`.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`].
    pub async fn live_runs(&self, _after: u64, _limit: usize) -> Result<Vec<RunRow>, Error> {
        unimplemented!("lands next")
    }

    /// A flow definition by its hash.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`].
    pub async fn definition(&self, _hash: &str) -> Result<Option<DefinitionRow>, Error> {
        unimplemented!("lands next")
    }

    /// Timers due at or before `now`, the longest overdue first.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`].
    pub async fn timers_due(&self, _now: Timestamp, _limit: usize) -> Result<Vec<Timer>, Error> {
        unimplemented!("lands next")
    }

    /// When the next timer is due.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub async fn next_timer(&self) -> Result<Option<Timestamp>, Error> {
        unimplemented!("lands next")
    }

    /// Signals of a run that were not taken, in order of delivery.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`].
    pub async fn signals(&self, _run: &str) -> Result<Vec<Signal>, Error> {
        unimplemented!("lands next")
    }

    /// An idempotency record, expired or not.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`].
    pub async fn key(&self, _tenant: &str, _key: &str) -> Result<Option<KeyRecord>, Error> {
        unimplemented!("lands next")
    }

    /// Outbox rows due at or before `now`, the longest overdue first.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`].
    pub async fn outbox_due(&self, _now: Timestamp, _limit: usize) -> Result<Vec<OutboxRow>, Error> {
        unimplemented!("lands next")
    }

    /// When the next outbox row is due.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub async fn next_outbox(&self) -> Result<Option<Timestamp>, Error> {
        unimplemented!("lands next")
    }

    /// Dead letters, newest first.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`].
    pub async fn dead(&self, _filter: &DeadFilter) -> Result<Vec<DeadLetter>, Error> {
        unimplemented!("lands next")
    }

    /// One dead letter.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`].
    pub async fn dead_one(&self, _id: &str) -> Result<Option<DeadLetter>, Error> {
        unimplemented!("lands next")
    }

    /// How far a follower has come; 0 when it has not begun.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub async fn checkpoint(&self, _name: &str) -> Result<u64, Error> {
        unimplemented!("lands next")
    }

    /// Runs one read-only SQL statement over the store's tables and views, for people who look.
    ///
    /// # Errors
    /// [`Error::Query`] when it is not a single reading statement, or runs longer than `timeout`.
    pub async fn query(&self, _sql: &str, _limit: usize, _timeout: Duration) -> Result<Table, Error> {
        unimplemented!("lands next")
    }
}
