//! The outbox: writing rows, and which one of a key has its turn. See `lanes.rs` for what the relay reads.

use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Params, Row, params, params_from_iter};

use super::column::{Json, bytes, nanos, time, time_or_none};
use super::fault::Fault;
use super::read::Read;
use super::sum;
use crate::{Error, OutboxFilter, OutboxOp, OutboxRow, OutboxStage, mutant};

const PUT: &str = "INSERT INTO outbox (id, kind, target, payload, tenant, correlation, due, attempts, cause, sum, \
     sent, created, blocked, perhaps, settles, lane, key, stage) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, 0) \
     ON CONFLICT (id) DO NOTHING";
const RETRY: &str = "UPDATE outbox SET due = ?2, attempts = ?3, cause = ?4, sent = ?5, blocked = ?6, perhaps = ?7, \
     settles = ?8 WHERE id = ?1";
const POSTPONE: &str = "UPDATE outbox SET due = ?2, blocked = ?3 WHERE id = ?1";
const BEGIN: &str = "UPDATE outbox SET perhaps = 1, settles = ?2 WHERE id = ?1 AND stage < 2";
const REWRITE: &str = "UPDATE outbox SET payload = ?2, sum = ?3 WHERE id = ?1";
const HURRY: &str = "UPDATE outbox SET due = ?2 WHERE id = ?1 AND due > ?2";
const RECALL: &str = "UPDATE outbox SET due = ?3 WHERE due > ?1 AND (?2 IS NULL OR blocked = ?2)";
const BURY: &str = "UPDATE outbox SET stage = ?2, perhaps = ?3 WHERE id = ?1 RETURNING lane, key";
const REVIVE: &str = "UPDATE outbox SET stage = 0, payload = ?2, sum = ?3, due = ?4, attempts = 0, sent = 0, \
     cause = NULL, blocked = NULL, perhaps = ?5, settles = CASE WHEN ?5 THEN settles END WHERE id = ?1";
const WITHDRAW: &str = "DELETE FROM outbox WHERE id = ?1 AND perhaps = 0 RETURNING lane, key";
const DONE: &str = "DELETE FROM outbox WHERE id = ?1 RETURNING lane, key";
const DISCARD: &str = "DELETE FROM outbox WHERE id = ?1 AND stage > 1 RETURNING lane, key";
/// The first of a key has its turn. A later one has it no more when an earlier one has come back.
const ADVANCE: &str = "UPDATE outbox SET stage = 1 WHERE stage = 0 AND rowid = (SELECT rowid FROM outbox \
     WHERE lane = ?1 AND key = ?2 AND stage < 3 ORDER BY rowid LIMIT 1)";
const GIVE_WAY: &str = "UPDATE outbox SET stage = 0 WHERE lane = ?1 AND key = ?2 AND stage = 1";
const COLUMNS: &str = "id, kind, target, payload, tenant, correlation, due, attempts, cause, sum, sent, created, \
     blocked, perhaps, settles, lane, key, stage";

/// Adds, postpones or completes work.
pub(super) fn apply(connection: &Connection, op: &OutboxOp) -> Result<(), Fault> {
    match op {
        OutboxOp::Put(row) => return put(connection, row),
        OutboxOp::Retry { id, due, attempts, sent, cause, blocked, perhaps, settles } => connection
            .prepare_cached(RETRY)?
            .execute(params![id, nanos(*due), attempts, cause, sent, blocked, perhaps, settles.map(nanos)])?,
        OutboxOp::Postpone { id, due, blocked } => {
            connection.prepare_cached(POSTPONE)?.execute(params![id, nanos(*due), blocked])?
        }
        OutboxOp::Begin { id, settles, payload } => {
            match connection.prepare_cached(BEGIN)?.execute(params![id, nanos(*settles)])? {
                0 => return Err(gone(id)),
                found => payload.as_ref().map_or(Ok(found), |payload| rewrite(connection, id, payload))?,
            }
        }
        OutboxOp::Hurry { id, now } => connection.prepare_cached(HURRY)?.execute(params![id, nanos(*now)])?,
        OutboxOp::Recall { after, blocked, now } => {
            connection.prepare_cached(RECALL)?.execute(params![nanos(*after), blocked, nanos(*now)])?
        }
        OutboxOp::Withdraw { id } => match advanced(connection, WITHDRAW, [id])? {
            false => return Err(gone(id)),
            true => 1,
        },
        OutboxOp::Bury { id, holds, perhaps } => {
            let stage = if *holds { OutboxStage::Dead } else { OutboxStage::Passed };
            advanced(connection, BURY, params![id, stage as i64, perhaps])?.into()
        }
        OutboxOp::Revive { id, payload, perhaps, now } => {
            return revive(connection, id, payload, (*perhaps, *now));
        }
        OutboxOp::Discard { id } => advanced(connection, DISCARD, [id])?.into(),
        OutboxOp::Done { id } => advanced(connection, DONE, [id])?.into(),
    };
    Ok(())
}

fn gone(id: &str) -> Fault {
    Error::Gone { id: id.to_owned() }.into()
}

/// Takes rows out of their line and lets the next ones of their keys have their turn. Whether there was one.
fn advanced(connection: &Connection, sql: &str, params: impl Params) -> Result<bool, Fault> {
    let place = |row: &Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?));
    let left = connection.prepare_cached(sql)?.query_row(params, place).optional()?;
    if let Some((lane, key)) = &left {
        advance(connection, lane, key)?;
    }
    Ok(left.is_some())
}

fn advance(connection: &Connection, lane: &str, key: &str) -> Result<(), Fault> {
    connection.prepare_cached(ADVANCE)?.execute([lane, key])?;
    Ok(())
}

fn put(connection: &Connection, row: &OutboxRow) -> Result<(), Fault> {
    advanced(connection, DISCARD, [&row.id])?;
    let key = if row.key.is_empty() { &row.id } else { &row.key };
    let added = connection.prepare_cached(PUT)?.execute(params![
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
        row.settles.map(nanos),
        row.lane,
        key,
    ])?;
    match added {
        0 => Ok(()),
        _ if mutant("tells-overtake") => {
            connection.prepare_cached("UPDATE outbox SET stage = 1 WHERE id = ?1")?.execute([&row.id])?;
            Ok(())
        }
        _ => advance(connection, &row.lane, key),
    }
}

/// Gives a row another payload.
fn rewrite(connection: &Connection, id: &str, payload: &[u8]) -> Result<usize, Fault> {
    let sql = format!("SELECT {COLUMNS} FROM outbox WHERE id = ?1");
    let found = connection.prepare_cached(&sql)?.query_and_then([id], decode)?.next().transpose()?;
    let Some(row) = found else { return Err(gone(id)) };
    let sum = sum::of(&parts(&OutboxRow { payload: payload.to_vec(), ..row }));
    Ok(connection.prepare_cached(REWRITE)?.execute(params![id, Json(payload), sum])?)
}

fn revive(
    connection: &Connection,
    id: &str,
    payload: &[u8],
    (perhaps, now): (bool, Timestamp),
) -> Result<(), Fault> {
    let sql = format!("SELECT {COLUMNS} FROM outbox WHERE id = ?1 AND stage > 1");
    let found = connection.prepare_cached(&sql)?.query_and_then([id], decode)?.next().transpose()?;
    let Some(row) = found else { return Err(gone(id)) };
    let row = OutboxRow { payload: payload.to_vec(), ..row };
    let sum = sum::of(&parts(&row));
    connection.prepare_cached(REVIVE)?.execute(params![id, Json(payload), sum, nanos(now), perhaps])?;
    connection.prepare_cached(GIVE_WAY)?.execute([&row.lane, &row.key])?;
    advance(connection, &row.lane, &row.key)
}

/// A page of work, the oldest first.
pub(crate) fn many(read: &Read<'_>, filter: &OutboxFilter) -> Result<Vec<OutboxRow>, Fault> {
    let mut sql = format!("SELECT {COLUMNS} FROM outbox WHERE stage < 3");
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

fn decode(row: &Row<'_>) -> Result<OutboxRow, Fault> {
    let (id, stage): (String, i64) = (row.get(0)?, row.get(17)?);
    let stage = OutboxStage::parse(stage)
        .ok_or_else(|| Fault::corrupt(format!("stage {stage} of outbox row {id:?} is not one")))?;
    let work = OutboxRow {
        id,
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
        settles: time_or_none(row, 14)?,
        lane: row.get(15)?,
        key: row.get(16)?,
        stage,
    };
    sum::check(row.get(9)?, &parts(&work), || format!("outbox row {:?}", work.id))?;
    Ok(work)
}

fn parts(row: &OutboxRow) -> [&[u8]; 5] {
    [&row.payload, row.id.as_bytes(), row.kind.as_bytes(), row.target.as_bytes(), row.tenant.as_bytes()]
}
