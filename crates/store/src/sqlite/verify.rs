//! Reads everything and compares.

use super::events;
use super::fault::Fault;
use super::read::Read;
use crate::{Error, Verified};

/// Checks the file's structure, every event, and that positions and versions have no gaps.
pub(super) fn verify(read: &Read<'_>) -> Result<Verified, Fault> {
    // One transaction, so that all is seen in one state while others write.
    let transaction = read.connection.unchecked_transaction()?;
    let found: String = transaction.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if found != "ok" {
        return Err(Error::Corrupt { what: found }.into());
    }
    super::timers::check(read.connection)?;
    let events = check_events(read)?;
    let streams = check_streams(read)?;
    Ok(Verified { events, streams })
}

fn check_events(read: &Read<'_>) -> Result<u64, Fault> {
    let mut position = 0;
    loop {
        match events::log(read, position, 0)?.last() {
            Some(last) => position = last.position,
            None => return Ok(position),
        }
    }
}

fn check_streams(read: &Read<'_>) -> Result<u64, Fault> {
    let sql = "SELECT stream FROM events GROUP BY stream HAVING count(*) <> max(version) OR min(version) <> 1 LIMIT 1";
    if let Some(stream) = read.one(sql, [], |row| Ok(row.get::<_, i64>(0)?))? {
        return Err(Fault::corrupt(format!("the stream with number {stream} has a gap")));
    }
    let streams = read.one("SELECT count(*) FROM streams", [], |row| super::column::number(row, 0))?;
    Ok(streams.unwrap_or(0))
}
