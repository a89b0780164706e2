//! Projection rows.

use rusqlite::{Connection, Row, params};

use super::column::{Json, bytes, number, text};
use super::fault::Fault;
use super::read::Read;
use super::sum;
use crate::{State, StateRow};

const PUT: &str = "INSERT INTO states (kind, id, data, position, sum) VALUES (?1, ?2, ?3, ?4, ?5) \
     ON CONFLICT (kind, id) DO UPDATE SET data = excluded.data, position = excluded.position, sum = excluded.sum";
const DELETE: &str = "DELETE FROM states WHERE kind = ?1 AND id = ?2";

/// Writes or deletes a row as of the log's `head`.
pub(super) fn apply(connection: &Connection, state: &State, head: u64) -> Result<(), Fault> {
    let Some(data) = &state.data else {
        connection.prepare_cached(DELETE)?.execute([state.kind, &state.id])?;
        return Ok(());
    };
    let sum = sum::of(&[data, state.id.as_bytes(), state.kind.as_bytes(), &head.to_le_bytes()]);
    connection.prepare_cached(PUT)?.execute(params![state.kind, state.id, Json(data), head as i64, sum])?;
    Ok(())
}

/// One row.
pub(crate) fn one(read: &Read<'_>, kind: &str, id: &str) -> Result<Option<StateRow>, Fault> {
    let sql = "SELECT id, data, position, sum FROM states WHERE kind = ?1 AND id = ?2";
    read.one(sql, [kind, id], |row| decode(row, kind))
}

/// A page of rows in order of id.
pub(crate) fn many(
    read: &Read<'_>,
    kind: &str,
    prefix: &str,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<StateRow>, Fault> {
    let sql = "SELECT id, data, position, sum FROM states WHERE kind = ?1 AND id >= ?2 \
         AND (?3 IS NULL OR id > ?3) AND (?4 IS NULL OR id < ?4) ORDER BY id LIMIT ?5";
    let from = after.map_or(prefix, |after| after.max(prefix));
    let end = prefix_end(prefix);
    let params = params![kind, from, after, end, read.rows(limit)];
    read.page(sql, params, |row| {
        let state = decode(row, kind)?;
        let weight = state.data.len() + state.id.len() + 64;
        Ok((state, weight))
    })
}

/// The first text after all that begin with `prefix`; `None` when there is no end.
pub(super) fn prefix_end(prefix: &str) -> Option<String> {
    let mut end: Vec<char> = prefix.chars().collect();
    while let Some(last) = end.pop() {
        let next = (u32::from(last) + 1..=u32::from(char::MAX)).find_map(char::from_u32);
        if let Some(next) = next {
            end.push(next);
            return Some(end.into_iter().collect());
        }
    }
    None
}

fn decode(row: &Row<'_>, kind: &str) -> Result<StateRow, Fault> {
    let state =
        StateRow { id: text(row, 0)?.to_owned(), data: bytes(row, 1)?.to_vec(), position: number(row, 2)? };
    let parts: [&[u8]; 4] =
        [&state.data, state.id.as_bytes(), kind.as_bytes(), &state.position.to_le_bytes()];
    sum::check(row.get(3)?, &parts, || format!("{kind} {:?}", state.id))?;
    Ok(state)
}
