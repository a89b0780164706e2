//! What the relay reads of the outbox: the lanes, and in each the rows whose turn it is. However long a lane, a key or
//! the list of other kinds, each of these reads costs the same.

use rusqlite::{Row, params};

use super::column::{number, time};
use super::fault::Fault;
use super::read::Read;
use crate::{OutboxBacklog, OutboxHead, OutboxLane};

/// One step of the index for each lane, not one for each row.
const LANES: &str = "WITH RECURSIVE lanes (lane) AS (\
       SELECT min(lane) FROM outbox WHERE kind = ?1 AND stage = 1 \
       UNION ALL \
       SELECT (SELECT min(lane) FROM outbox WHERE kind = ?1 AND stage = 1 AND lane > lanes.lane) \
       FROM lanes WHERE lanes.lane IS NOT NULL) \
     SELECT lane, (SELECT min(due) FROM outbox WHERE kind = ?1 AND stage = 1 AND lane = lanes.lane) \
     FROM lanes WHERE lane IS NOT NULL";
const HEADS: &str = "SELECT id, key, target, tenant, due FROM outbox WHERE kind = ?1 AND lane = ?2 AND stage = 1 \
     ORDER BY due, rowid LIMIT ?3";
const AHEAD: &str = "SELECT id FROM outbox WHERE lane = ?1 AND key = ?2 AND stage < 3 ORDER BY rowid LIMIT 1";
const BACKLOG: &str = "WITH RECURSIVE lanes (lane) AS (\
       SELECT min(lane) FROM outbox WHERE stage < 3 \
       UNION ALL \
       SELECT (SELECT min(lane) FROM outbox WHERE stage < 3 AND lane > lanes.lane) \
       FROM lanes WHERE lanes.lane IS NOT NULL) \
     SELECT lane, (SELECT count(*) FROM (SELECT 1 FROM outbox WHERE stage < 3 AND lane = lanes.lane LIMIT 10000)) \
     FROM lanes WHERE lane IS NOT NULL";

/// The lanes in which something of this kind has its turn.
pub(crate) fn all(read: &Read<'_>, kind: &str) -> Result<Vec<OutboxLane>, Fault> {
    read.page(LANES, [kind], |row| Ok((OutboxLane { lane: row.get(0)?, due: time(row, 1)? }, 64)))
}

/// Rows of a lane whose turn it is, also those that are not due yet, the longest overdue first.
pub(crate) fn heads(read: &Read<'_>, kind: &str, lane: &str, limit: usize) -> Result<Vec<OutboxHead>, Fault> {
    read.page(HEADS, params![kind, lane, read.rows(limit)], |row| Ok((head(row)?, 256)))
}

fn head(row: &Row<'_>) -> Result<OutboxHead, Fault> {
    Ok(OutboxHead {
        id: row.get(0)?,
        key: row.get(1)?,
        target: row.get(2)?,
        tenant: row.get(3)?,
        due: time(row, 4)?,
    })
}

/// The first row of a key.
pub(crate) fn ahead(read: &Read<'_>, lane: &str, key: &str) -> Result<Option<String>, Fault> {
    read.one(AHEAD, [lane, key], |row| Ok(row.get(0)?))
}

/// How much waits in each lane.
pub(crate) fn backlog(read: &Read<'_>) -> Result<Vec<OutboxBacklog>, Fault> {
    read.page(BACKLOG, [], |row| Ok((OutboxBacklog { lane: row.get(0)?, rows: number(row, 1)? }, 64)))
}
