//! What can be read. Every read sees one consistent state, and what was acknowledged before it began.
//!
//! A page ends at the asked limit, at [`crate::Options::page_rows`] or at [`crate::Options::page_bytes`], whichever
//! comes first: only an empty page is the end.

use std::time::Duration;

use jiff::Timestamp;

use crate::sqlite::{
    answers, census, checkpoints, dead, events, keys, lanes, outbox, query, runs, signals, states, timers,
};
use crate::{
    Answer, Census, DeadFilter, DeadLetter, DefinitionRow, Error, Event, KeyRecord, OutboxBacklog,
    OutboxFilter, OutboxHead, OutboxLane, OutboxRow, RunFilter, RunRow, Signal, StateRow, Store, Table,
    Timer,
};

impl Store {
    /// Events of one stream after a version, in order.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when an event is not what was written; [`Error::Io`].
    pub async fn stream(&self, stream: &str, after_version: u64, limit: usize) -> Result<Vec<Event>, Error> {
        let stream = stream.to_owned();
        self.sqlite.read(move |read| events::stream(read, &stream, after_version, limit)).await
    }

    /// The version of a stream: how many events it has; 0 when it does not exist.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub async fn version(&self, stream: &str) -> Result<u64, Error> {
        let stream = stream.to_owned();
        self.sqlite.read(move |read| events::version(read, &stream)).await
    }

    /// How many events of a stream stand at or before a position of the log; 0 when it does not exist.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when an event is missing; [`Error::Io`].
    pub async fn version_at(&self, stream: &str, position: u64) -> Result<u64, Error> {
        let stream = stream.to_owned();
        self.sqlite.read(move |read| events::version_at(read, &stream, position)).await
    }

    /// Events of the whole log after a position, in order and without gaps.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when an event is missing or not what was written; [`Error::Io`].
    pub async fn log(&self, after_position: u64, limit: usize) -> Result<Vec<Event>, Error> {
        self.sqlite.read(move |read| events::log(read, after_position, limit)).await
    }

    /// One projection row.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`].
    pub async fn state(&self, kind: &'static str, id: &str) -> Result<Option<StateRow>, Error> {
        let id = id.to_owned();
        self.sqlite.read(move |read| states::one(read, kind, &id)).await
    }

    /// Projection rows whose id begins with `prefix`, in order of id, after the given id.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`].
    pub async fn states(
        &self,
        kind: &'static str,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<StateRow>, Error> {
        let (prefix, after) = (prefix.to_owned(), after.map(str::to_owned));
        self.sqlite.read(move |read| states::many(read, kind, &prefix, after.as_deref(), limit)).await
    }

    /// One run.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`].
    pub async fn run(&self, id: &str) -> Result<Option<RunRow>, Error> {
        let id = id.to_owned();
        self.sqlite.read(move |read| runs::one(read, &id)).await
    }

    /// Runs, newest first.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`].
    pub async fn runs(&self, filter: &RunFilter) -> Result<Vec<RunRow>, Error> {
        let filter = filter.clone();
        self.sqlite.read(move |read| runs::many(read, &filter)).await
    }

    /// Runs that have not ended, in order of start, after the given `position`.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`].
    pub async fn live_runs(&self, after: u64, limit: usize) -> Result<Vec<RunRow>, Error> {
        self.sqlite.read(move |read| runs::live(read, after, limit)).await
    }

    /// How many runs have not ended, by status, how many dead letters are open and how many outbox rows wait, each up
    /// to 100,000; and since when the oldest of these waits.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`].
    pub async fn census(&self) -> Result<Census, Error> {
        self.sqlite.read(census::take).await
    }

    /// The first runs that stand in a line for a key, in order of start: the first of them has the key.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`].
    pub async fn in_line(
        &self,
        tenant: &str,
        line: &str,
        key: &str,
        limit: usize,
    ) -> Result<Vec<RunRow>, Error> {
        let [tenant, line, key] = [tenant, line, key].map(str::to_owned);
        self.sqlite.read(move |read| runs::in_line(read, (&tenant, &line, &key), limit)).await
    }

    /// A flow definition by its hash.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`].
    pub async fn definition(&self, hash: &str) -> Result<Option<DefinitionRow>, Error> {
        let hash = hash.to_owned();
        self.sqlite.read(move |read| runs::definition(read, &hash)).await
    }

    /// Timers due at or before `now`, the longest overdue first; those that come after one, if it is named.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`].
    pub async fn timers_due(
        &self,
        now: Timestamp,
        after: Option<Timer>,
        limit: usize,
    ) -> Result<Vec<Timer>, Error> {
        self.sqlite.read(move |read| timers::due(read, now, after.as_ref(), limit)).await
    }

    /// Timers whose rows are not what was written: they may be due too early, too late, or for another run.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub async fn damaged_timers(&self) -> Result<Vec<Timer>, Error> {
        self.sqlite.read(timers::damaged_ones).await
    }

    /// When the next timer is due that is not due yet.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub async fn next_timer_after(&self, now: Timestamp) -> Result<Option<Timestamp>, Error> {
        self.sqlite.read(move |read| timers::next_after(read, now)).await
    }

    /// When the next timer is due.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub async fn next_timer(&self) -> Result<Option<Timestamp>, Error> {
        self.sqlite.read(timers::next).await
    }

    /// Signals of a run that were not taken, in order of delivery.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`].
    pub async fn signals(&self, run: &str) -> Result<Vec<Signal>, Error> {
        let run = run.to_owned();
        self.sqlite.read(move |read| signals::of(read, &run)).await
    }

    /// Signals of a run under one of these names that were not taken, after a place, in order of delivery; each with its
    /// place.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`].
    pub async fn signals_named(
        &self,
        run: &str,
        names: Vec<String>,
        after: u64,
    ) -> Result<Vec<(u64, Signal)>, Error> {
        let run = run.to_owned();
        self.sqlite.read(move |read| signals::named(read, &run, &names, after)).await
    }

    /// Whether a run was given a signal of this id, taken or not; and how many it has that were not taken.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub async fn signal_known(&self, run: &str, id: &str) -> Result<(bool, u64), Error> {
        let (run, id) = (run.to_owned(), id.to_owned());
        self.sqlite.read(move |read| signals::known(read, &run, &id)).await
    }

    /// What became of what a run put into the outbox and has not taken yet, in order of the step, after a step.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`].
    pub async fn answers(&self, run: &str, after: &str) -> Result<Vec<Answer>, Error> {
        let [run, after] = [run, after].map(str::to_owned);
        self.sqlite.read(move |read| answers::of(read, &run, &after)).await
    }

    /// The same for one step.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`].
    pub async fn answer(&self, run: &str, step: &str) -> Result<Option<Answer>, Error> {
        let [run, step] = [run, step].map(str::to_owned);
        self.sqlite.read(move |read| answers::one(read, &run, &step)).await
    }

    /// An idempotency record, expired or not.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`].
    pub async fn key(&self, tenant: &str, key: &str) -> Result<Option<KeyRecord>, Error> {
        let (tenant, key) = (tenant.to_owned(), key.to_owned());
        self.sqlite.read(move |read| keys::one(read, &tenant, &key)).await
    }

    /// How many idempotency records a tenant has whose key begins with `prefix`; counted up to `most`.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub async fn count_keys(&self, tenant: &str, prefix: &str, most: u64) -> Result<u64, Error> {
        let (tenant, prefix) = (tenant.to_owned(), prefix.to_owned());
        self.sqlite.read(move |read| keys::count(read, &tenant, &prefix, most)).await
    }

    /// The lanes of the outbox in which something of this kind has its turn, each with when the first of that is due.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub async fn outbox_lanes(&self, kind: &'static str) -> Result<Vec<OutboxLane>, Error> {
        self.sqlite.read(move |read| lanes::all(read, kind)).await
    }

    /// Rows of a lane whose turn it is, also those that are not due yet, the longest overdue first.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub async fn outbox_heads(
        &self,
        kind: &'static str,
        lane: &str,
        limit: usize,
    ) -> Result<Vec<OutboxHead>, Error> {
        let lane = lane.to_owned();
        self.sqlite.read(move |read| lanes::heads(read, kind, &lane, limit)).await
    }

    /// The row of a lane and key that those after it wait for.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub async fn outbox_ahead(&self, lane: &str, key: &str) -> Result<Option<String>, Error> {
        let [lane, key] = [lane, key].map(str::to_owned);
        self.sqlite.read(move |read| lanes::ahead(read, &lane, &key)).await
    }

    /// How much waits in each lane of the outbox, up to 10,000 rows each.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub async fn outbox_backlog(&self) -> Result<Vec<OutboxBacklog>, Error> {
        self.sqlite.read(lanes::backlog).await
    }

    /// Outbox rows, the oldest first.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`].
    pub async fn outbox(&self, filter: &OutboxFilter) -> Result<Vec<OutboxRow>, Error> {
        let filter = filter.clone();
        self.sqlite.read(move |read| outbox::many(read, &filter)).await
    }

    /// One outbox row.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`].
    pub async fn outbox_one(&self, id: &str) -> Result<Option<OutboxRow>, Error> {
        let id = id.to_owned();
        self.sqlite.read(move |read| outbox::one(read, &id)).await
    }

    /// Dead letters, newest first.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`].
    pub async fn dead(&self, filter: &DeadFilter) -> Result<Vec<DeadLetter>, Error> {
        let filter = filter.clone();
        self.sqlite.read(move |read| dead::many(read, &filter)).await
    }

    /// One dead letter.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`].
    pub async fn dead_one(&self, id: &str) -> Result<Option<DeadLetter>, Error> {
        let id = id.to_owned();
        self.sqlite.read(move |read| dead::one(read, &id)).await
    }

    /// How far a follower has come; 0 when it has not begun.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub async fn checkpoint(&self, name: &str) -> Result<u64, Error> {
        let name = name.to_owned();
        self.sqlite.read(move |read| checkpoints::one(read, &name)).await
    }

    /// Runs one read-only SQL statement over the store's tables and views, for people who look.
    ///
    /// # Errors
    /// [`Error::Query`] when it is not a single reading statement, or runs longer than `timeout`.
    pub async fn query(&self, sql: &str, limit: usize, timeout: Duration) -> Result<Table, Error> {
        query::run(&self.sqlite, sql.to_owned(), limit, timeout).await
    }
}
