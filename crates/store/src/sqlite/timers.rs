//! Timers.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::column::{nanos, time, time_or_none};
use super::fault::Fault;
use super::read::Read;
use super::sum;
use crate::{Timer, TimerOp};

const SET: &str = "INSERT INTO timers (id, run, step, due, sum) VALUES (?1, ?2, ?3, ?4, ?5) \
     ON CONFLICT (id) DO UPDATE SET run = excluded.run, step = excluded.step, due = excluded.due, sum = excluded.sum";

/// Sets or clears a timer.
pub(super) fn apply(connection: &Connection, op: &TimerOp) -> Result<(), Fault> {
    match op {
        TimerOp::Set(timer) => {
            let Timer { id, run, step, due } = timer;
            connection.prepare_cached(SET)?.execute(params![id, run, step, nanos(*due), sum_of(timer)])?
        }
        TimerOp::Clear { id } => {
            connection.prepare_cached("DELETE FROM timers WHERE id = ?1")?.execute([id])?
        }
    };
    Ok(())
}

fn sum_of(timer: &Timer) -> i64 {
    let due = nanos(timer.due).to_le_bytes();
    sum::of(&[timer.id.as_bytes(), timer.run.as_bytes(), timer.step.as_bytes(), &due])
}

/// Every timer, with the checksum that its row has.
fn all(connection: &Connection) -> Result<Vec<(Timer, i64)>, Fault> {
    let mut statement = connection.prepare("SELECT id, run, step, due, sum FROM timers")?;
    let mut rows = statement.query([])?;
    let mut timers = Vec::new();
    while let Some(row) = rows.next()? {
        let timer = Timer { id: row.get(0)?, run: row.get(1)?, step: row.get(2)?, due: time(row, 3)? };
        timers.push((timer, row.get(4)?));
    }
    Ok(timers)
}

/// Gives timers their checksums that were written before there were any.
pub(super) fn sum_all(connection: &Connection) -> Result<(), Fault> {
    for (timer, _) in all(connection)? {
        connection.execute("UPDATE timers SET sum = ?2 WHERE id = ?1", params![timer.id, sum_of(&timer)])?;
    }
    Ok(())
}

/// The timers that are not what was written.
fn damaged(connection: &Connection) -> Result<Vec<Timer>, Fault> {
    let timers = all(connection)?.into_iter();
    Ok(timers.filter(|(timer, kept)| sum_of(timer) != *kept).map(|(timer, _)| timer).collect())
}

/// The same, for whoever may read.
pub(crate) fn damaged_ones(read: &Read<'_>) -> Result<Vec<Timer>, Fault> {
    damaged(read.connection)
}

/// Says which timers are not what was written: their runs are looked at when an engine starts.
pub(super) fn warn_of_damage(connection: &Connection) -> Result<(), Fault> {
    for Timer { id, run, step, due } in damaged(connection)? {
        let due = due.to_string();
        tracing::error!(
            timer = id,
            run,
            step,
            due,
            "timer is corrupt: it is set again as its run's journal has it"
        );
    }
    Ok(())
}

/// Refuses timers that are not what was written.
pub(super) fn check(connection: &Connection) -> Result<(), Fault> {
    match damaged(connection)?.first() {
        Some(timer) => {
            Err(Fault::corrupt(format!("timer {:?} of run {} is not what was written", timer.id, timer.run)))
        }
        None => Ok(()),
    }
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
