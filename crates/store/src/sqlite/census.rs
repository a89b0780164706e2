//! Counting what is live and what is dead.

use super::column::{number, text};
use super::fault::Fault;
use super::read::Read;
use crate::{Census, RunStatus};

/// Counting stops here: beyond it the exact figure helps nobody, and the reading must not hold others up.
const MOST: i64 = 100_000;

const RUNS: &str =
    "SELECT status, count(*) FROM (SELECT status FROM runs WHERE live = 1 LIMIT ?1) GROUP BY status";
const DEAD: &str = "SELECT count(*) FROM (SELECT 1 FROM dead WHERE state = 'open' LIMIT ?1)";

pub(crate) fn take(read: &Read<'_>) -> Result<Census, Fault> {
    let runs = read.page(RUNS, [MOST], |row| {
        let status = text(row, 0)?;
        let known = RunStatus::parse(status);
        let status = known.ok_or_else(|| Fault::corrupt(format!("run status {status:?} is not one")))?;
        Ok(((status, number(row, 1)?), 64))
    })?;
    let dead = read.one(DEAD, [MOST], |row| number(row, 0))?.unwrap_or_default();
    Ok(Census { runs, dead })
}
