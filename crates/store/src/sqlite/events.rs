//! The log: one row per event, its place in the log and its place in its stream.

use std::sync::Arc;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row, params};

use super::column::{Json, bytes, nanos, number, text, time};
use super::fault::Fault;
use super::read::Read;
use super::sum;
use crate::{Event, NewEvent};

const INSERT: &str = "INSERT INTO events (position, stream, version, type, at, tenant, correlation, causation, data, sum) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";

const COLUMNS: &str =
    "e.position, s.name, e.version, e.type, e.at, e.tenant, e.correlation, e.causation, e.data, e.sum";

/// Where an event goes.
pub(super) struct Place<'a> {
    pub(super) position: u64,
    pub(super) stream: &'a str,
    pub(super) stream_id: i64,
    pub(super) version: u64,
}

/// Writes one event at its place.
pub(super) fn insert(connection: &Connection, place: &Place<'_>, event: &NewEvent) -> Result<(), Fault> {
    let at = nanos(event.at);
    let parts = Parts {
        position: place.position,
        stream: place.stream,
        version: place.version,
        type_: &event.type_,
        at,
        tenant: &event.tenant,
        correlation: &event.correlation,
        causation: event.causation.as_deref(),
        data: &event.data,
    };
    connection.prepare_cached(INSERT)?.execute(params![
        place.position as i64,
        place.stream_id,
        place.version as i64,
        &*event.type_,
        at,
        &*event.tenant,
        &*event.correlation,
        event.causation.as_deref(),
        Json(&event.data),
        parts.sum(),
    ])?;
    Ok(())
}

/// The stream's id, given at its first event.
pub(super) fn stream_id(connection: &Connection, stream: &str) -> Result<Option<i64>, Fault> {
    let mut statement = connection.prepare_cached("SELECT id FROM streams WHERE name = ?1")?;
    let mut rows = statement.query([stream])?;
    Ok(rows.next()?.map(|row| row.get(0)).transpose()?)
}

/// Gives the stream an id.
pub(super) fn insert_stream(connection: &Connection, stream: &str) -> Result<i64, Fault> {
    connection.prepare_cached("INSERT INTO streams (name) VALUES (?1)")?.execute([stream])?;
    Ok(connection.last_insert_rowid())
}

/// How many events the stream with this id has.
pub(super) fn version_of(connection: &Connection, stream_id: i64) -> Result<u64, Fault> {
    let mut statement =
        connection.prepare_cached("SELECT coalesce(max(version), 0) FROM events WHERE stream = ?1")?;
    statement.query_row([stream_id], |row| Ok(number(row, 0)))?
}

/// The last position in the log.
pub(super) fn head(connection: &Connection) -> Result<u64, Fault> {
    connection.query_row("SELECT coalesce(max(position), 0) FROM events", [], |row| Ok(number(row, 0)))?
}

/// How many events a stream has.
pub(crate) fn version(read: &Read<'_>, stream: &str) -> Result<u64, Fault> {
    match stream_id(read.connection, stream)? {
        Some(id) => version_of(read.connection, id),
        None => Ok(0),
    }
}

/// How many events of a stream stand at or before a position of the log. Versions grow with positions, so halving the
/// stream finds it, one look at the index each time.
pub(crate) fn version_at(read: &Read<'_>, stream: &str, position: u64) -> Result<u64, Fault> {
    let Some(id) = stream_id(read.connection, stream)? else { return Ok(0) };
    let sql = "SELECT position FROM events WHERE stream = ?1 AND version = ?2";
    let (mut below, mut above) = (0, version_of(read.connection, id)? + 1);
    while below + 1 < above {
        let middle = below.midpoint(above);
        let at = read.one(sql, params![id, clamped(middle)], |row| number(row, 0))?;
        let at = at.ok_or_else(|| Fault::corrupt(format!("event {middle} of stream {stream} is missing")))?;
        if at <= position { below = middle } else { above = middle }
    }
    Ok(below)
}

/// A page of one stream.
pub(crate) fn stream(read: &Read<'_>, stream: &str, after: u64, limit: usize) -> Result<Vec<Event>, Fault> {
    let Some(id) = stream_id(read.connection, stream)? else { return Ok(Vec::new()) };
    let sql = format!(
        "SELECT {COLUMNS} FROM events e CROSS JOIN streams s ON s.id = e.stream \
         WHERE e.stream = ?1 AND e.version > ?2 ORDER BY e.version LIMIT ?3"
    );
    let (mut seen, mut expected) = (Seen::default(), after);
    read.page(&sql, params![id, clamped(after), read.rows(limit)], |row| {
        let event = decode(row, &mut seen)?;
        expected += 1;
        if event.version != expected || &*event.stream != stream {
            return Err(Fault::corrupt(format!("event {expected} of stream {stream} is missing")));
        }
        Ok(weighed(event))
    })
}

/// A page of the log.
pub(crate) fn log(read: &Read<'_>, after: u64, limit: usize) -> Result<Vec<Event>, Fault> {
    let sql = format!(
        "SELECT {COLUMNS} FROM events e LEFT JOIN streams s ON s.id = e.stream \
         WHERE e.position > ?1 ORDER BY e.position LIMIT ?2"
    );
    let (mut seen, mut expected) = (Seen::default(), after);
    read.page(&sql, params![clamped(after), read.rows(limit)], |row| {
        let event = decode(row, &mut seen)?;
        expected += 1;
        if event.position != expected {
            return Err(Fault::corrupt(format!("position {expected} of the log is missing")));
        }
        Ok(weighed(event))
    })
}

fn clamped(after: u64) -> i64 {
    i64::try_from(after).unwrap_or(i64::MAX)
}

fn weighed(event: Event) -> (Event, usize) {
    let weight = event.data.len() + 256;
    (event, weight)
}

/// Texts of the row before: neighbours mostly share them, so that a page allocates each once.
#[derive(Default)]
struct Seen {
    stream: Option<Arc<str>>,
    type_: Option<Arc<str>>,
    tenant: Option<Arc<str>>,
    correlation: Option<Arc<str>>,
}

fn shared(seen: &mut Option<Arc<str>>, text: &str) -> Arc<str> {
    match seen {
        Some(same) if &**same == text => same.clone(),
        _ => seen.insert(text.into()).clone(),
    }
}

fn decode(row: &Row<'_>, seen: &mut Seen) -> Result<Event, Fault> {
    let causation: Option<&str> = match row.get_ref(7)? {
        ValueRef::Null => None,
        _ => Some(text(row, 7)?),
    };
    let parts = Parts {
        position: number(row, 0)?,
        stream: text(row, 1)?,
        version: number(row, 2)?,
        type_: text(row, 3)?,
        at: row.get(4)?,
        tenant: text(row, 5)?,
        correlation: text(row, 6)?,
        causation,
        data: bytes(row, 8)?,
    };
    parts.check(row.get(9)?)?;
    Ok(Event {
        position: parts.position,
        stream: shared(&mut seen.stream, parts.stream),
        version: parts.version,
        type_: shared(&mut seen.type_, parts.type_),
        data: parts.data.to_vec(),
        at: time(row, 4)?,
        tenant: shared(&mut seen.tenant, parts.tenant),
        correlation: shared(&mut seen.correlation, parts.correlation),
        causation: causation.map(Into::into),
    })
}

/// All that an event's checksum covers.
struct Parts<'a> {
    position: u64,
    stream: &'a str,
    version: u64,
    type_: &'a str,
    at: i64,
    tenant: &'a str,
    correlation: &'a str,
    causation: Option<&'a str>,
    data: &'a [u8],
}

impl Parts<'_> {
    fn sum(&self) -> i64 {
        self.with(sum::of)
    }

    fn check(&self, kept: i64) -> Result<(), Fault> {
        self.with(|parts| sum::check(kept, parts, || format!("event at position {}", self.position)))
    }

    fn with<T>(&self, then: impl FnOnce(&[&[u8]]) -> T) -> T {
        let mut numbers = [0; 25];
        numbers[..8].copy_from_slice(&self.position.to_le_bytes());
        numbers[8..16].copy_from_slice(&self.version.to_le_bytes());
        numbers[16..24].copy_from_slice(&self.at.to_le_bytes());
        numbers[24] = self.causation.is_some().into();
        then(&[
            self.data,
            &numbers,
            self.stream.as_bytes(),
            self.type_.as_bytes(),
            self.tenant.as_bytes(),
            self.correlation.as_bytes(),
            self.causation.unwrap_or_default().as_bytes(),
        ])
    }
}
