//! Acts sent line by line: taken in order, in batches, each line with a verdict of its own, streamed back as they
//! fall. A line that is refused refuses only itself.

use std::convert::Infallible;

use act::{Accepted, Act};
use axum::body::{Body, Bytes};
use futures_util::stream;
use serde_json::{Value, json};

use crate::conversations::{Lines, Utterance, Verdict};
use crate::exchange::{Answer, Asked, Inlet};
use crate::{Gate, Problem, routes};

/// Acts in one batch: one append, one sync.
const BATCH: usize = 64;

/// Answers with the stream of verdicts.
pub(crate) fn lines(gate: &Gate, mut asked: Asked) -> Answer {
    let body = match std::mem::replace(&mut asked.body, Inlet::Nothing) {
        Inlet::Lines(body) => body.into_inner(),
        Inlet::Whole(bytes) => Body::from(bytes),
        Inlet::Nothing => Body::empty(),
    };
    let limits = &gate.limits;
    let lines = Lines::new(body, limits.line, limits.bulk, limits.body_time);
    let upload = Upload { gate: gate.clone(), asked, lines, line: 0 };
    // The next batch is taken when the verdicts of the one before are on their way.
    let pieces = stream::unfold(Some(upload), |state| async move {
        let mut upload = state?;
        let (piece, more) = upload.batch().await;
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
}

impl Upload {
    /// The verdicts of the next lines, and whether there may be more.
    async fn batch(&mut self) -> (Vec<u8>, bool) {
        let mut verdicts = Vec::new();
        match self.lines.next(BATCH).await {
            Err(problem) => {
                self.tell(&mut verdicts, None, Err(problem));
                (verdicts, false)
            }
            Ok(lines) if lines.is_empty() => (verdicts, false),
            Ok(lines) => {
                let more = self.take(&lines, &mut verdicts).await;
                (verdicts, more)
            }
        }
    }

    async fn take(&mut self, lines: &[Bytes], into: &mut Vec<u8>) -> bool {
        let parsed: Vec<Result<Accepted<Act>, Problem>> =
            lines.iter().map(|line| routes::parse(&self.gate, line)).collect();
        let acts: Vec<_> = parsed.iter().flatten().cloned().collect();
        let heard = say(&self.gate, &self.asked, acts).await;
        let store_refuses = heard.is_err();
        let mut verdicts = match heard {
            Ok(verdicts) => verdicts.into_iter(),
            Err(problem) => vec![Err(problem); lines.len()].into_iter(),
        };
        for act in parsed {
            let (id, verdict) = match act {
                Ok(act) => (Some(act.value.id.to_string()), verdicts.next()),
                Err(problem) => (None, Some(Err(problem))),
            };
            if let Some(verdict) = verdict {
                self.tell(into, id.as_deref(), verdict);
            }
        }
        // When nothing can be written there is no point in reading on: the caller goes on from the first refusal.
        !store_refuses
    }

    fn tell(&mut self, into: &mut Vec<u8>, id: Option<&str>, verdict: Verdict) {
        self.line += 1;
        let mut told = match verdict {
            Ok(taken) => {
                let mut told = json!({"status": 200, "position": taken.position});
                if taken.replayed {
                    told["replayed"] = true.into();
                }
                if !taken.runs.is_empty() {
                    told["runs"] = taken.runs.iter().map(|run| run.run.as_str()).collect();
                }
                told
            }
            Err(problem) => problem.body(None),
        };
        told["line"] = self.line.into();
        if let Some(id) = id {
            told["id"] = Value::from(id);
        }
        into.extend_from_slice(told.to_string().as_bytes());
        into.push(b'\n');
    }
}

async fn say(gate: &Gate, asked: &Asked, acts: Vec<Accepted<Act>>) -> Result<Vec<Verdict>, Problem> {
    if acts.is_empty() {
        return Ok(Vec::new());
    }
    let (principal, correlation, conversation) = (&*asked.principal, &asked.correlation, asked.param("id"));
    let said = Utterance { principal, conversation, correlation, acts, all_or_nothing: false };
    gate.conversations.ingest(said).await.map(|heard| heard.verdicts)
}
