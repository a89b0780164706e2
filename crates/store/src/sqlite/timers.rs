//! Timers.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::column::{nanos, time, time_or_none};
use super::fault::Fault;
use super::read::Read;
use crate::{Timer, TimerOp};

const SET: &str = "INSERT INTO timers (id, run, step, due) VALUES (?1, ?2, ?3, ?4) \
     ON CONFLICT (id) DO UPDATE SET run = excluded.run, step = excluded.step, due = excluded.due";

/// Sets or clears a timer.
pub(super) fn apply(connection: &Connection, op: &TimerOp) -> Result<(), Fault> {
    match op {
        TimerOp::Set(Timer { id, run, step, due }) => {
            connection.prepare_cached(SET)?.execute(params![id, run, step, nanos(*due)])?
        }
        TimerOp::Clear { id } => {
            connection.prepare_cached("DELETE FROM timers WHERE id = ?1")?.execute([id])?
        }
    };
    Ok(())
}

/// A page of timers that are due, after the last one of the page before.
pub(crate) fn due(
    read: &Read<'_>,
    now: Timestamp,
    after: Option<&Timer>,
    limit: usize,
) -> Result<Vec<Timer>, Fault> {
    let sql = "SELECT id, run, step, due FROM timers WHERE due <= ?1 AND (due, id) > (?2, ?3) \
         ORDER BY due, id LIMIT ?4";
    let (due, id) = after.map_or((i64::MIN, ""), |last| (nanos(last.due), &last.id));
    read.page(sql, params![nanos(now), due, id, read.rows(limit)], |row| {
        let timer = Timer { id: row.get(0)?, run: row.get(1)?, step: row.get(2)?, due: time(row, 3)? };
        Ok((timer, 256))
    })
}

/// When the next one is due.
pub(crate) fn next(read: &Read<'_>) -> Result<Option<Timestamp>, Fault> {
    Ok(read.one("SELECT min(due) FROM timers", [], |row| time_or_none(row, 0))?.flatten())
}

/// When the next one is due that is not due yet.
pub(crate) fn next_after(read: &Read<'_>, now: Timestamp) -> Result<Option<Timestamp>, Fault> {
    let sql = "SELECT min(due) FROM timers WHERE due > ?1";
    Ok(read.one(sql, [nanos(now)], |row| time_or_none(row, 0))?.flatten())
}
