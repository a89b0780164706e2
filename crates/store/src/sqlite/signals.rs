//! Signals.

use rusqlite::types::Value;
use rusqlite::{Connection, Row, params, params_from_iter};

use super::column::{Json, bytes, number, text};
use super::fault::Fault;
use super::read::Read;
use super::sum;
use crate::{Signal, SignalOp};

const PUT: &str = "INSERT INTO signals (run, id, name, payload, taken, sum) VALUES (?1, ?2, ?3, ?4, 0, ?5) \
     ON CONFLICT (run, id) DO NOTHING";
/// The row stays, without its payload, so that a second delivery is recognised.
const TAKE: &str = "UPDATE signals SET taken = 1, payload = '' WHERE run = ?1 AND id = ?2";

/// Delivers or takes a signal.
pub(super) fn apply(connection: &Connection, op: &SignalOp) -> Result<(), Fault> {
    match op {
        SignalOp::Put(Signal { run, id, name, payload }) => {
            let sum = sum::of(&[payload, run.as_bytes(), id.as_bytes(), name.as_bytes()]);
            connection.prepare_cached(PUT)?.execute(params![run, id, name, Json(payload), sum])?
        }
        SignalOp::Take { run, id } => connection.prepare_cached(TAKE)?.execute([run, id])?,
    };
    Ok(())
}

/// The signals of a run that were not taken.
pub(crate) fn of(read: &Read<'_>, run: &str) -> Result<Vec<Signal>, Fault> {
    let sql =
        "SELECT id, name, payload, sum FROM signals WHERE run = ?1 AND taken = 0 ORDER BY place LIMIT ?2";
    read.page(sql, params![run, read.rows(0)], |row| {
        let signal = decode(row, run)?;
        let weight = signal.payload.len() + 256;
        Ok((signal, weight))
    })
}

/// The signals of a run under one of these names that were not taken, after a place, in order of delivery; each with its
/// place.
pub(crate) fn named(
    read: &Read<'_>,
    run: &str,
    names: &[String],
    after: u64,
) -> Result<Vec<(u64, Signal)>, Fault> {
    let sql = format!(
        "SELECT id, name, payload, sum, place FROM signals WHERE run = ? AND taken = 0 AND place > ? AND name IN ({}) \
         ORDER BY place LIMIT ?",
        vec!["?"; names.len()].join(", ")
    );
    let mut values = vec![Value::from(run.to_owned()), Value::from(i64::try_from(after).unwrap_or(i64::MAX))];
    values.extend(names.iter().map(|name| Value::from(name.clone())));
    values.push(read.rows(0).into());
    read.page(&sql, params_from_iter(values), |row| {
        let signal = decode(row, run)?;
        let weight = signal.payload.len() + 256;
        Ok(((number(row, 4)?, signal), weight))
    })
}

/// Whether a run was given a signal of this id, taken or not; and how many it has that were not taken.
pub(crate) fn known(read: &Read<'_>, run: &str, id: &str) -> Result<(bool, u64), Fault> {
    let sql = "SELECT EXISTS (SELECT 1 FROM signals WHERE run = ?1 AND id = ?2), \
         (SELECT count(*) FROM signals WHERE run = ?1 AND taken = 0)";
    let found = read.one(sql, [run, id], |row| Ok((row.get::<_, bool>(0)?, number(row, 1)?)))?;
    Ok(found.unwrap_or_default())
}

fn decode(row: &Row<'_>, run: &str) -> Result<Signal, Fault> {
    let (id, name, payload) = (text(row, 0)?, text(row, 1)?, bytes(row, 2)?);
    let parts = [payload, run.as_bytes(), id.as_bytes(), name.as_bytes()];
    sum::check(row.get(3)?, &parts, || format!("signal {id:?} of run {run}"))?;
    Ok(Signal { run: run.into(), id: id.into(), name: name.into(), payload: payload.into() })
}

/// Forgets some signals of runs that ended: nobody hears them any more. Returns how many.
pub(super) fn prune(connection: &Connection, some: usize) -> Result<usize, Fault> {
    let sql = "DELETE FROM signals WHERE place IN (SELECT s.place FROM signals s LEFT JOIN runs r ON r.id = s.run \
         WHERE r.live = 0 OR (s.taken = 1 AND r.id IS NULL) LIMIT ?1)";
    Ok(connection.prepare_cached(sql)?.execute([some as i64])?)
}
