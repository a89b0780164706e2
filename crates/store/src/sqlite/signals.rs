//! Signals.

use rusqlite::{Connection, params};

use super::column::{Json, bytes, text};
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
        let (id, name, payload) = (text(row, 0)?, text(row, 1)?, bytes(row, 2)?);
        let parts = [payload, run.as_bytes(), id.as_bytes(), name.as_bytes()];
        sum::check(row.get(3)?, &parts, || format!("signal {id:?} of run {run}"))?;
        let signal = Signal { run: run.into(), id: id.into(), name: name.into(), payload: payload.into() };
        Ok((signal, payload.len() + 256))
    })
}

/// Forgets some taken signals of runs that ended. Returns how many.
pub(super) fn prune(connection: &Connection, some: usize) -> Result<usize, Fault> {
    let sql = "DELETE FROM signals WHERE place IN (SELECT s.place FROM signals s LEFT JOIN runs r ON r.id = s.run \
         WHERE s.taken = 1 AND coalesce(r.live, 0) = 0 LIMIT ?1)";
    Ok(connection.prepare_cached(sql)?.execute([some as i64])?)
}
