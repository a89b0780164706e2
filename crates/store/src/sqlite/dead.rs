//! Dead letters.

use rusqlite::{Connection, Row, params, params_from_iter, types::Value};

use super::column::{Json, bytes, nanos, text, time, time_or_none};
use super::fault::Fault;
use super::read::Read;
use super::sum;
use crate::{DeadFilter, DeadLetter, DeadOp, DeadState, Error};

const PUT: &str = "INSERT INTO dead (id, tenant, source, system, operation, code, message, history, input, key, \
     correlation, first, last, state, resolved, sum) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16) \
     ON CONFLICT (id) DO UPDATE SET code = excluded.code, message = excluded.message, history = excluded.history, \
     input = excluded.input, last = excluded.last, state = excluded.state, resolved = excluded.resolved, \
     sum = excluded.sum";
const EDIT: &str = "UPDATE dead SET input = ?2, sum = ?3 WHERE id = ?1";
const RESOLVE: &str = "UPDATE dead SET state = ?2, resolved = ?3 WHERE id = ?1";
const SETTLE: &str = "UPDATE dead SET state = ?2, resolved = ?3 WHERE id = ?1 AND state = 'open'";
const COLUMNS: &str = "id, tenant, source, system, operation, code, message, history, input, key, correlation, \
     first, last, state, resolved, sum";

fn is_open(connection: &Connection, id: &str) -> Result<bool, Fault> {
    let mut statement = connection.prepare_cached("SELECT 1 FROM dead WHERE id = ?1 AND state = 'open'")?;
    Ok(statement.exists([id])?)
}

/// Adds, edits or resolves a letter.
pub(super) fn apply(connection: &Connection, op: &DeadOp) -> Result<(), Fault> {
    if let Some(id) = op.needs_open() {
        must_be_open(connection, id)?;
    }
    match op {
        DeadOp::Put(letter) => return put(connection, letter),
        DeadOp::Edit { id, input } => {
            let sum = sum::of(&[input, id.as_bytes()]);
            connection.prepare_cached(EDIT)?.execute(params![id, Json(input), sum])?
        }
        DeadOp::Resolve { id, how: DeadState::Open, .. } => {
            connection.prepare_cached(RESOLVE)?.execute(params![id, DeadState::Open.as_str(), None::<i64>])?
        }
        DeadOp::Resolve { id, how, at } => {
            connection.prepare_cached(RESOLVE)?.execute(params![id, how.as_str(), nanos(*at)])?
        }
        DeadOp::Settle { id, how, at } => {
            connection.prepare_cached(SETTLE)?.execute(params![id, how.as_str(), nanos(*at)])?
        }
    };
    Ok(())
}

fn must_be_open(connection: &Connection, id: &str) -> Result<(), Fault> {
    if is_open(connection, id)? { Ok(()) } else { Err(Error::NotOpen { id: id.to_owned() }.into()) }
}

fn put(connection: &Connection, letter: &DeadLetter) -> Result<(), Fault> {
    let history = serde_json::to_string(&letter.history)
        .map_err(|cause| Error::Io { cause: format!("writing the history of {:?}: {cause}", letter.id) })?;
    connection.prepare_cached(PUT)?.execute(params![
        letter.id,
        letter.tenant,
        letter.source,
        letter.system,
        letter.operation,
        letter.code,
        letter.message,
        history,
        Json(&letter.input),
        letter.key,
        letter.correlation,
        nanos(letter.first),
        nanos(letter.last),
        letter.state.as_str(),
        letter.resolved.map(nanos),
        sum::of(&[&letter.input, letter.id.as_bytes()]),
    ])?;
    Ok(())
}

/// One letter.
pub(crate) fn one(read: &Read<'_>, id: &str) -> Result<Option<DeadLetter>, Fault> {
    read.one(&format!("SELECT {COLUMNS} FROM dead WHERE id = ?1"), [id], decode)
}

/// A page of letters, newest first.
pub(crate) fn many(read: &Read<'_>, filter: &DeadFilter) -> Result<Vec<DeadLetter>, Fault> {
    let mut sql = format!("SELECT {COLUMNS} FROM dead WHERE true");
    let mut values: Vec<Value> = Vec::new();
    let state = filter.state.map(|state| state.as_str().to_owned());
    for (column, wanted) in [("tenant", &filter.tenant), ("system", &filter.system), ("state", &state)] {
        if let Some(wanted) = wanted {
            sql += &format!(" AND {column} = ?");
            values.push(wanted.clone().into());
        }
    }
    if let Some(source) = &filter.source {
        // `0` is the character after `/`: this is everything that begins with `source/`.
        sql += " AND (source = ? OR (source > ? AND source < ?))";
        values.extend([source.clone(), format!("{source}/"), format!("{source}0")].map(Value::from));
    }
    sql += " ORDER BY place DESC LIMIT ? OFFSET ?";
    values.extend([read.rows(filter.limit).into(), i64::try_from(filter.skip).unwrap_or(i64::MAX).into()]);
    read.page(&sql, params_from_iter(values), |row| {
        let letter = decode(row)?;
        let weight = letter.input.len() + 256 * (1 + letter.history.len());
        Ok((letter, weight))
    })
}

fn decode(row: &Row<'_>) -> Result<DeadLetter, Fault> {
    let (id, state) = (text(row, 0)?, text(row, 13)?);
    let history = serde_json::from_slice(bytes(row, 7)?)
        .map_err(|_| Fault::corrupt(format!("history of dead letter {id:?} is not JSON")))?;
    sum::check(row.get(15)?, &[bytes(row, 8)?, id.as_bytes()], || format!("dead letter {id:?}"))?;
    Ok(DeadLetter {
        id: id.to_owned(),
        tenant: row.get(1)?,
        source: row.get(2)?,
        system: row.get(3)?,
        operation: row.get(4)?,
        code: row.get(5)?,
        message: row.get(6)?,
        history,
        input: bytes(row, 8)?.to_vec(),
        key: row.get(9)?,
        correlation: row.get(10)?,
        first: time(row, 11)?,
        last: time(row, 12)?,
        state: DeadState::parse(state)
            .ok_or_else(|| Fault::corrupt(format!("state {state:?} of dead letter {id:?} is not one")))?,
        resolved: time_or_none(row, 14)?,
    })
}
