//! Answers.

use rusqlite::{Connection, Row, params};

use super::column::{Json, bytes, nanos, time};
use super::fault::Fault;
use super::read::Read;
use super::sum;
use crate::{Answer, AnswerOp};

const PUT: &str = "INSERT INTO answers (run, step, at, payload, sum) VALUES (?1, ?2, ?3, ?4, ?5) \
     ON CONFLICT (run, step) DO UPDATE SET at = excluded.at, payload = excluded.payload, sum = excluded.sum";
const TAKE: &str = "DELETE FROM answers WHERE run = ?1 AND step = ?2 AND at = ?3";
const OF: &str =
    "SELECT run, step, at, payload, sum FROM answers WHERE run = ?1 AND step > ?2 ORDER BY step LIMIT ?3";
const ONE: &str = "SELECT run, step, at, payload, sum FROM answers WHERE run = ?1 AND step = ?2";

/// Keeps or takes an answer.
pub(super) fn apply(connection: &Connection, op: &AnswerOp) -> Result<(), Fault> {
    match op {
        AnswerOp::Put(answer) => {
            let (Answer { run, step, at, payload }, sum) = (answer, sum::of(&parts(answer)));
            connection.prepare_cached(PUT)?.execute(params![run, step, nanos(*at), Json(payload), sum])?
        }
        AnswerOp::Take { run, step, at } => {
            connection.prepare_cached(TAKE)?.execute(params![run, step, nanos(*at)])?
        }
    };
    Ok(())
}

/// A page of a run's answers, after a step.
pub(crate) fn of(read: &Read<'_>, run: &str, after: &str) -> Result<Vec<Answer>, Fault> {
    read.page(OF, params![run, after, read.rows(0)], |row| {
        let answer = decode(row)?;
        let weight = answer.payload.len() + 256;
        Ok((answer, weight))
    })
}

/// One answer.
pub(crate) fn one(read: &Read<'_>, run: &str, step: &str) -> Result<Option<Answer>, Fault> {
    read.one(ONE, [run, step], decode)
}

fn decode(row: &Row<'_>) -> Result<Answer, Fault> {
    let answer =
        Answer { run: row.get(0)?, step: row.get(1)?, at: time(row, 2)?, payload: bytes(row, 3)?.to_vec() };
    sum::check(row.get(4)?, &parts(&answer), || {
        format!("answer to {:?} of run {}", answer.step, answer.run)
    })?;
    Ok(answer)
}

fn parts(answer: &Answer) -> [&[u8]; 3] {
    [&answer.payload, answer.run.as_bytes(), answer.step.as_bytes()]
}
