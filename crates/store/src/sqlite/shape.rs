//! What a store is made of: which version of the schema its tables have, and whether it holds anything that is not ours.

use std::collections::BTreeSet;

use rusqlite::Connection;

use super::fault::Fault;
use super::open;

/// What each version has that the one before lacks: a table and a column of it. The version number in the file may have
/// been changed or lost; the tables are what they are.
const MARKS: [(&str, &str); 9] = [
    ("streams", "id"),
    ("outbox", "sent"),
    ("outbox", "created"),
    ("outbox", "perhaps"),
    ("meta", "value"),
    ("runs", "line"),
    ("outbox", "lane"),
    ("timers", "sum"),
    ("keys", "epoch"),
];

/// The newest version whose tables are all there; 0 when none is.
pub(super) fn version(connection: &Connection) -> Result<u32, Fault> {
    let mut version = 0;
    for (table, column) in MARKS {
        let sql = "SELECT count(*) FROM pragma_table_info(?1) WHERE name = ?2";
        if connection.query_row(sql, [table, column], |row| row.get::<_, i64>(0))? == 0 {
            break;
        }
        version += 1;
    }
    Ok(version)
}

/// Refuses a store with tables, indexes, views or triggers that are not ours, or without one of ours: a trigger would be
/// carried out with every write.
pub(super) fn check(connection: &Connection) -> Result<(), Fault> {
    let (found, ours) = (objects(connection)?, objects(&open::in_memory()?)?);
    if let Some((kind, name, _)) = found.difference(&ours).next() {
        return Err(Fault::corrupt(format!("it holds the {kind} {name:?}, which no cardan has made")));
    }
    match ours.difference(&found).next() {
        Some((kind, name, _)) => Err(Fault::corrupt(format!("the {kind} {name:?} is missing"))),
        None => Ok(()),
    }
}

/// Kind, name and definition of everything; what SQLite itself keeps for them is left out.
fn objects(connection: &Connection) -> Result<BTreeSet<(String, String, String)>, Fault> {
    let sql = "SELECT type, name, coalesce(sql, '') FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
