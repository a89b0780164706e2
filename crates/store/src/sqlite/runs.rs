//! Runs and the definitions they pin.

use rusqlite::{Connection, Row, params, params_from_iter, types::Value};

use super::column::{Json, bytes, nanos, number, text, time, time_or_none};
use super::fault::Fault;
use super::read::Read;
use super::sum;
use crate::{DefinitionRow, RunFilter, RunRow, RunStatus};

const PUT: &str = "INSERT INTO runs (id, tenant, flow, hash, key, status, live, conversation, \"commit\", started, \
     updated, ended, blocked_on, line) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14) \
     ON CONFLICT (id) DO UPDATE SET hash = excluded.hash, status = excluded.status, live = excluded.live, \
     updated = excluded.updated, ended = excluded.ended, blocked_on = excluded.blocked_on, line = excluded.line";

const COLUMNS: &str = "position, id, tenant, flow, hash, key, status, conversation, \"commit\", started, updated, \
     ended, blocked_on, line";

/// Inserts a run, or updates what may change in one.
pub(super) fn apply(connection: &Connection, run: &RunRow) -> Result<(), Fault> {
    connection.prepare_cached(PUT)?.execute(params![
        run.id,
        run.tenant,
        run.flow,
        run.hash,
        run.key,
        run.status.as_str(),
        !run.status.is_ended(),
        run.conversation,
        run.commit,
        nanos(run.started),
        nanos(run.updated),
        run.ended.map(nanos),
        run.blocked_on,
        run.line,
    ])?;
    Ok(())
}

/// Keeps a definition that is not there yet.
pub(super) fn define(connection: &Connection, definition: &DefinitionRow) -> Result<(), Fault> {
    let sql = "INSERT INTO definitions (hash, name, source, created, sum) VALUES (?1, ?2, ?3, ?4, ?5) \
         ON CONFLICT (hash) DO NOTHING";
    let DefinitionRow { hash, name, source, created } = definition;
    let sum = sum::of(&[source, hash.as_bytes(), name.as_bytes()]);
    connection.prepare_cached(sql)?.execute(params![hash, name, Json(source), nanos(*created), sum])?;
    Ok(())
}

/// One run.
pub(crate) fn one(read: &Read<'_>, id: &str) -> Result<Option<RunRow>, Fault> {
    read.one(&format!("SELECT {COLUMNS} FROM runs WHERE id = ?1"), [id], decode)
}

/// A page of runs that have not ended, in order of start.
pub(crate) fn live(read: &Read<'_>, after: u64, limit: usize) -> Result<Vec<RunRow>, Fault> {
    let sql =
        format!("SELECT {COLUMNS} FROM runs WHERE live = 1 AND position > ?1 ORDER BY position LIMIT ?2");
    read.page(&sql, params![i64::try_from(after).unwrap_or(i64::MAX), read.rows(limit)], weighed)
}

/// Answered by the index `runs_by_line` alone, whose condition is word for word this one.
const IN_LINE: &str = "FROM runs WHERE tenant = ?1 AND line = ?2 AND key = ?3 AND line IS NOT NULL AND live = 1 ORDER BY position";

/// The first runs that stand in a line for a key and have not ended.
pub(crate) fn in_line(
    read: &Read<'_>,
    (tenant, line, key): (&str, &str, &str),
    limit: usize,
) -> Result<Vec<RunRow>, Fault> {
    read.page(
        &format!("SELECT {COLUMNS} {IN_LINE} LIMIT ?4"),
        params![tenant, line, key, read.rows(limit)],
        weighed,
    )
}

/// A page of runs, newest first.
pub(crate) fn many(read: &Read<'_>, filter: &RunFilter) -> Result<Vec<RunRow>, Fault> {
    let mut sql = format!("SELECT {COLUMNS} FROM runs WHERE true");
    let mut values: Vec<Value> = Vec::new();
    let exact = [
        ("tenant", &filter.tenant),
        ("flow", &filter.flow),
        ("key", &filter.key),
        ("conversation", &filter.conversation),
    ];
    for (column, wanted) in exact {
        if let Some(wanted) = wanted {
            sql += &format!(" AND {column} = ?");
            values.push(wanted.clone().into());
        }
    }
    if !filter.status.is_empty() {
        sql += &format!(" AND status IN ({})", vec!["?"; filter.status.len()].join(", "));
        values.extend(filter.status.iter().map(|status| Value::from(status.as_str().to_owned())));
        if !filter.status.iter().any(|status| status.is_ended()) {
            sql += " AND live = 1";
        }
    }
    if let Some(before) = filter.before {
        sql += " AND position < ?";
        values.push(i64::try_from(before).unwrap_or(i64::MAX).into());
    }
    sql += " ORDER BY position DESC LIMIT ?";
    values.push(read.rows(filter.limit).into());
    read.page(&sql, params_from_iter(values), weighed)
}

/// A definition by its hash.
pub(crate) fn definition(read: &Read<'_>, hash: &str) -> Result<Option<DefinitionRow>, Fault> {
    let sql = "SELECT name, source, created, sum FROM definitions WHERE hash = ?1";
    read.one(sql, [hash], |row| {
        let (name, source) = (text(row, 0)?, bytes(row, 1)?);
        let parts = [source, hash.as_bytes(), name.as_bytes()];
        sum::check(row.get(3)?, &parts, || format!("definition {hash}"))?;
        let created = time(row, 2)?;
        Ok(DefinitionRow { hash: hash.into(), name: name.into(), source: source.into(), created })
    })
}

fn weighed(row: &Row<'_>) -> Result<(RunRow, usize), Fault> {
    let run = decode(row)?;
    let weight = 512 + run.blocked_on.as_ref().map_or(0, String::len);
    Ok((run, weight))
}

fn decode(row: &Row<'_>) -> Result<RunRow, Fault> {
    let status = text(row, 6)?;
    Ok(RunRow {
        position: number(row, 0)?,
        id: row.get(1)?,
        tenant: row.get(2)?,
        flow: row.get(3)?,
        hash: row.get(4)?,
        key: row.get(5)?,
        status: RunStatus::parse(status)
            .ok_or_else(|| Fault::corrupt(format!("run status {status:?} is not one")))?,
        conversation: row.get(7)?,
        commit: row.get(8)?,
        started: time(row, 9)?,
        updated: time(row, 10)?,
        ended: time_or_none(row, 11)?,
        blocked_on: row.get(12)?,
        line: row.get(13)?,
    })
}

#[cfg(test)]
mod tests {
    use rusqlite::StatementStatus::{FullscanStep, Sort, VmStep};

    use super::*;

    /// How much SQLite does to find the first of so many runs of one key, behind as many that are ended.
    fn work(runs: usize) -> i32 {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(include_str!("schema/1.sql")).unwrap();
        for schema in [include_str!("schema/2.sql"), include_str!("schema/6.sql")] {
            connection.execute_batch(schema).unwrap();
        }
        let fill = "INSERT INTO runs (id, tenant, flow, hash, key, status, live, started, updated, line) \
             VALUES (?1, 't', 'f', 'h', 'k', ?2, ?3, 0, 0, 'f')";
        for (status, live) in [("succeeded", false), ("queued", true)] {
            for number in 0..runs {
                connection.execute(fill, params![format!("{status}_{number}"), status, live]).unwrap();
            }
        }
        let mut first = connection.prepare(&format!("SELECT {COLUMNS} {IN_LINE} LIMIT 1")).unwrap();
        let id: String = first.query_row(["t", "f", "k"], |row| row.get(1)).unwrap();
        assert_eq!(id, "queued_0");
        assert_eq!((first.get_status(FullscanStep), first.get_status(Sort)), (0, 0));
        first.get_status(VmStep)
    }

    #[test]
    fn the_first_in_line_of_two_thousand_is_found_like_the_first_of_two() {
        assert_eq!(work(2000), work(2));
    }
}
