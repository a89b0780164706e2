//! Counting what is live, what is dead and what waits to be delivered.

use super::column::{number, text, time_or_none};
use super::fault::Fault;
use super::read::Read;
use crate::{Census, RunStatus};

/// Counting stops here: beyond it the exact figure helps nobody, and the reading must not hold others up.
const MOST: i64 = 100_000;

const RUNS: &str =
    "SELECT status, count(*) FROM (SELECT status FROM runs WHERE live = 1 LIMIT ?1) GROUP BY status";
const DEAD: &str = "SELECT count(*) FROM (SELECT 1 FROM dead WHERE state = 'open' LIMIT ?1)";
const OUTBOX: &str = "SELECT count(*) FROM (SELECT 1 FROM outbox WHERE stage < 2 LIMIT ?1)";
const OLDEST: &str = "SELECT min(created) FROM outbox WHERE stage < 2";

pub(crate) fn take(read: &Read<'_>) -> Result<Census, Fault> {
    let runs = read.page(RUNS, [MOST], |row| {
        let status = text(row, 0)?;
        let known = RunStatus::parse(status);
        let status = known.ok_or_else(|| Fault::corrupt(format!("run status {status:?} is not one")))?;
        Ok(((status, number(row, 1)?), 64))
    })?;
    let dead = read.one(DEAD, [MOST], |row| number(row, 0))?.unwrap_or_default();
    let outbox = read.one(OUTBOX, [MOST], |row| number(row, 0))?.unwrap_or_default();
    let outbox_since = read.one(OLDEST, [], |row| time_or_none(row, 0))?.flatten();
    Ok(Census { runs, dead, outbox, outbox_since })
}
