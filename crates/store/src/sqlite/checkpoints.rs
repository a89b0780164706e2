//! How far followers have come.

use rusqlite::{Connection, params};

use super::column::number;
use super::fault::Fault;
use super::read::Read;
use crate::Checkpoint;

const PUT: &str = "INSERT INTO checkpoints (name, position) VALUES (?1, ?2) \
     ON CONFLICT (name) DO UPDATE SET position = excluded.position";

/// Writes a follower's position.
pub(super) fn apply(connection: &Connection, checkpoint: &Checkpoint) -> Result<(), Fault> {
    connection.prepare_cached(PUT)?.execute(params![checkpoint.name, checkpoint.position as i64])?;
    Ok(())
}

/// A follower's position.
pub(crate) fn one(read: &Read<'_>, name: &str) -> Result<u64, Fault> {
    let sql = "SELECT position FROM checkpoints WHERE name = ?1";
    Ok(read.one(sql, [name], |row| number(row, 0))?.unwrap_or(0))
}
