//! The outbox.

use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Connection, Row, params, params_from_iter};

use super::column::{Json, bytes, nanos, time, time_or_none};
use super::fault::Fault;
use super::read::Read;
use super::sum;
use crate::{Error, OutboxFilter, OutboxOp, OutboxRow};

const PUT: &str = "INSERT INTO outbox (id, kind, target, payload, tenant, correlation, due, attempts, cause, sum, \
     sent, created, blocked, perhaps) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14) \
     ON CONFLICT (id) DO NOTHING";
const RETRY: &str = "UPDATE outbox SET due = ?2, attempts = ?3, cause = ?4, sent = ?5, blocked = ?6, perhaps = ?7 WHERE id = ?1";
const BEGIN: &str = "UPDATE outbox SET perhaps = 1 WHERE id = ?1";
const HURRY: &str = "UPDATE outbox SET due = ?2 WHERE id = ?1 AND due > ?2";
const COLUMNS: &str = "id, kind, target, payload, tenant, correlation, due, attempts, cause, sum, sent, created, blocked, perhaps";

/// Adds, postpones or completes work.
pub(super) fn apply(connection: &Connection, op: &OutboxOp) -> Result<(), Fault> {
    match op {
        OutboxOp::Put(row) => put(connection, row)?,
        OutboxOp::Retry { id, due, attempts, sent, cause, blocked, perhaps } => connection
            .prepare_cached(RETRY)?
            .execute(params![id, nanos(*due), attempts, cause, sent, blocked, perhaps])?,
        OutboxOp::Begin { id } => match connection.prepare_cached(BEGIN)?.execute([id])? {
            0 => return Err(Error::Gone { id: id.clone() }.into()),
            found => found,
        },
        OutboxOp::Hurry { id, now } => connection.prepare_cached(HURRY)?.execute(params![id, nanos(*now)])?,
        OutboxOp::Done { id } => {
            connection.prepare_cached("DELETE FROM outbox WHERE id = ?1")?.execute([id])?
        }
    };
    Ok(())
}

fn put(connection: &Connection, row: &OutboxRow) -> Result<usize, Fault> {
    Ok(connection.prepare_cached(PUT)?.execute(params![
        row.id,
        row.kind,
        row.target,
        Json(&row.payload),
        row.tenant,
        row.correlation,
        nanos(row.due),
        row.attempts,
        row.cause,
        sum::of(&parts(row)),
        row.sent,
        nanos(row.created),
        row.blocked,
        row.perhaps,
    ])?)
}

/// A page of work that is due.
pub(crate) fn due(read: &Read<'_>, now: Timestamp, limit: usize) -> Result<Vec<OutboxRow>, Fault> {
    let sql = format!("SELECT {COLUMNS} FROM outbox WHERE due <= ?1 ORDER BY due, id LIMIT ?2");
    read.page(&sql, params![nanos(now), read.rows(limit)], weighed)
}

/// A page of work, the oldest first.
pub(crate) fn many(read: &Read<'_>, filter: &OutboxFilter) -> Result<Vec<OutboxRow>, Fault> {
    let mut sql = format!("SELECT {COLUMNS} FROM outbox WHERE true");
    let mut values: Vec<Value> = Vec::new();
    if let Some((created, id)) = &filter.after {
        sql += " AND (created, id) > (?, ?)";
        values.extend([nanos(*created).into(), id.clone().into()]);
    }
    if let Some(tenant) = &filter.tenant {
        sql += " AND tenant = ?";
        values.push(tenant.clone().into());
    }
    if let Some(system) = &filter.system {
        // `/` is the character after `.`: this is everything that begins with `system.`.
        sql += " AND (target = ? OR (target > ? AND target < ?))";
        values.extend([system.clone(), format!("{system}."), format!("{system}/")].map(Value::from));
    }
    sql += " ORDER BY created, id LIMIT ?";
    values.push(read.rows(filter.limit).into());
    read.page(&sql, params_from_iter(values), weighed)
}

fn weighed(row: &Row<'_>) -> Result<(OutboxRow, usize), Fault> {
    let work = decode(row)?;
    let weight = work.payload.len() + 256;
    Ok((work, weight))
}

/// One piece of work.
pub(crate) fn one(read: &Read<'_>, id: &str) -> Result<Option<OutboxRow>, Fault> {
    read.one(&format!("SELECT {COLUMNS} FROM outbox WHERE id = ?1"), [id], decode)
}

/// When the next is due.
pub(crate) fn next(read: &Read<'_>) -> Result<Option<Timestamp>, Fault> {
    Ok(read.one("SELECT min(due) FROM outbox", [], |row| time_or_none(row, 0))?.flatten())
}

fn decode(row: &Row<'_>) -> Result<OutboxRow, Fault> {
    let work = OutboxRow {
        id: row.get(0)?,
        kind: row.get(1)?,
        target: row.get(2)?,
        payload: bytes(row, 3)?.to_vec(),
        tenant: row.get(4)?,
        correlation: row.get(5)?,
        due: time(row, 6)?,
        attempts: row.get(7)?,
        cause: row.get(8)?,
        sent: row.get(10)?,
        created: time(row, 11)?,
        blocked: row.get(12)?,
        perhaps: row.get(13)?,
    };
    sum::check(row.get(9)?, &parts(&work), || format!("outbox row {:?}", work.id))?;
    Ok(work)
}

fn parts(row: &OutboxRow) -> [&[u8]; 5] {
    [&row.payload, row.id.as_bytes(), row.kind.as_bytes(), row.target.as_bytes(), row.tenant.as_bytes()]
}
