//! Acts sent line by line: taken in order, in batches, each line with a verdict of its own, streamed back as they
//! fall. A line that is refused refuses only itself.

use std::convert::Infallible;
use std::time::Instant;

use act::{Accepted, Act};
use axum::body::{Body, Bytes};
use conversation::{Integration, Submission, Taken, Verdict};
use futures_util::future::join;
use futures_util::stream;
use react::Ruling;
use serde::Serialize;

use crate::answer::Answer;
use crate::exchange::{Asked, Inlet};
use crate::lines::Lines;
use crate::turn::Turn;
use crate::{Gate, Problem, routes};

/// Acts in one batch: one append, one sync.
const BATCH: usize = 256;

/// Answers with the stream of verdicts.
pub(crate) fn lines(gate: &Gate, mut asked: Asked) -> Answer {
    let body = match std::mem::replace(&mut asked.body, Inlet::Nothing) {
        Inlet::Lines(body) => body.into_inner(),
        Inlet::Whole(bytes) => Body::from(bytes),
        Inlet::Nothing => Body::empty(),
    };
    let limits = &gate.limits;
    let lines = Lines::new(body, limits.line, limits.bulk, limits.body_time);
    let until = asked.wait(limits.wait).map(|wait| gate.clock.instant() + wait);
    let upload = Upload { gate: gate.clone(), asked, lines, line: 0, until, ahead: None };
    // The next batch is taken when the verdicts of the one before are on their way.
    let pieces = stream::unfold(Some(upload), |state| async move {
        let mut upload = state?;
        let (piece, more) = upload.batch().await;
        // The caller may take its time over the verdicts.
        upload.asked.turn.rest();
        (!piece.is_empty()).then_some((Ok::<_, Infallible>(Bytes::from(piece)), more.then_some(upload)))
    });
    Answer::stream("application/x-ndjson", Body::from_stream(pieces))
}

struct Upload {
    gate: Gate,
    asked: Asked,
    lines: Lines,
    /// Lines that had a verdict so far.
    line: u64,
    /// Until when runs are waited for, when the caller prefers to.
    until: Option<Instant>,
    /// Lines that were read while those before them were written.
    ahead: Option<Result<Read, Problem>>,
}

/// Lines as they were read.
struct Read {
    /// Those that are acts.
    acts: Vec<Accepted<Act>>,
    /// For each line the act's id, or why it is none.
    lines: Vec<Result<String, Problem>>,
}

/// The verdict over a line that was taken.
#[derive(Serialize)]
struct Told<'a> {
    line: u64,
    id: &'a str,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<&'a Ruling>,
    position: u64,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    replayed: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    runs: Vec<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    integrations: Vec<Integration>,
}

impl Upload {
    /// The verdicts of the next lines, and whether there may be more.
    async fn batch(&mut self) -> (Vec<u8>, bool) {
        let read = match self.ahead.take() {
            Some(read) => {
                self.asked.turn.resume().await;
                read
            }
            None => {
                let lines = self.asked.turn.after(self.lines.next(BATCH)).await;
                lines.map(|lines| read(&self.gate, &self.asked, &lines))
            }
        };
        let mut verdicts = Vec::new();
        match read {
            Err(problem) => {
                self.refuse(&mut verdicts, None, &problem);
                (verdicts, false)
            }
            Ok(read) if read.lines.is_empty() => (verdicts, false),
            Ok(read) => {
                let more = self.take(read, &mut verdicts).await;
                (verdicts, more)
            }
        }
    }

    async fn take(&mut self, batch: Read, into: &mut Vec<u8>) -> bool {
        let Self { gate, asked, lines, until, .. } = self;
        // Polled after the batch is on its way: the next lines are read while these are written.
        let next = async { lines.arrived(BATCH).map(|lines| lines.map(|lines| read(gate, asked, &lines))) };
        let (heard, ahead) = join(say(gate, asked, batch.acts), next).await;
        let store_refuses = heard.is_err();
        let verdicts = heard.unwrap_or_else(|error| vec![Err(error); batch.lines.len()]);
        let mut moved = moved(gate, &asked.turn, *until, &verdicts).await.into_iter();
        self.ahead = ahead;
        let mut verdicts = verdicts.into_iter();
        for line in batch.lines {
            match line {
                Ok(id) => match verdicts.next() {
                    Some(Ok(taken)) => self.tell(into, &id, &taken, moved.next().unwrap_or_default()),
                    Some(Err(error)) => self.refuse(into, Some(&id), &error.into()),
                    None => {}
                },
                Err(problem) => self.refuse(into, None, &problem),
            }
        }
        // When nothing can be written there is no point in reading on: the caller goes on from the first refusal.
        !store_refuses
    }

    fn tell(&mut self, into: &mut Vec<u8>, id: &str, taken: &Taken, integrations: Vec<Integration>) {
        self.line += 1;
        let status = if integrations.iter().any(Integration::is_moving) { 202 } else { 200 };
        let runs = taken.runs.iter().map(|run| run.run.as_str()).collect();
        let (position, replayed) = (taken.position, taken.replayed);
        let result = taken.result.as_ref();
        let told = Told { line: self.line, id, status, result, position, replayed, runs, integrations };
        // Writing plain data to a vector cannot fail.
        let _ = serde_json::to_writer(&mut *into, &told);
        into.push(b'\n');
    }

    fn refuse(&mut self, into: &mut Vec<u8>, id: Option<&str>, problem: &Problem) {
        self.line += 1;
        let mut told = problem.body(None);
        told["line"] = self.line.into();
        if let Some(id) = id {
            told["id"] = id.into();
        }
        into.extend_from_slice(told.to_string().as_bytes());
        into.push(b'\n');
    }
}

/// What each act that was taken has set in motion; waits for it until the caller's patience is over.
async fn moved(
    gate: &Gate,
    turn: &Turn,
    until: Option<Instant>,
    verdicts: &[Verdict],
) -> Vec<Vec<Integration>> {
    let taken: Vec<&Taken> = verdicts.iter().flatten().collect();
    let patience = until.map(|until| until.saturating_duration_since(gate.clock.instant()));
    routes::integrations(gate, turn, &taken, patience).await
}

fn read(gate: &Gate, asked: &Asked, lines: &[Bytes]) -> Read {
    let mut acts = Vec::with_capacity(lines.len());
    let mut line = |line: &Bytes| {
        let act = routes::parse(gate, asked, line)?;
        let id = act.value.id.to_string();
        acts.push(act);
        Ok(id)
    };
    let lines = lines.iter().map(&mut line).collect();
    Read { acts, lines }
}

async fn say(
    gate: &Gate,
    asked: &Asked,
    acts: Vec<Accepted<Act>>,
) -> Result<Vec<Verdict>, conversation::Error> {
    if acts.is_empty() {
        return Ok(Vec::new());
    }
    let (request, conversation) = (asked.request(gate), asked.param("id"));
    let submission = Submission { request, conversation, acts, all_or_nothing: false, answering: None };
    Ok(gate.conversations.take(submission).await?.verdicts)
}
