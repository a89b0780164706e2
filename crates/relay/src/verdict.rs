//! What a delivery's outcome means: arrived, tried again, dead. Pure.
//!
//! A message that is `keyed` is sent again under its key for as long as nobody knows whether it arrived; an answer counts
//! for every earlier sending, except a refusal before those have settled. One that is `never` and may have arrived is
//! looked up (`look.rs`), or waits for a person.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use port::{Fault, Kind, Landed, Operation, Repeat, Reply};
use serde_json::Value;
use store::{Batch, DeadOp, OutboxOp, OutboxRow};

use crate::letter::{letter, letter_id};
use crate::round::{LONGEST, later};
use crate::running::{Limits, Relay};
use crate::tell::{Settled, Tell};

/// The wait before the second round; it doubles with each.
const FIRST: Duration = Duration::from_secs(1);

/// What is known of an operation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known {
    pub(crate) repeat: Repeat,
    /// How long after its end a call may still land.
    pub(crate) settles: Duration,
    /// How long the system may say that it is still at an earlier request.
    pub(crate) in_progress: Duration,
}

impl From<&Operation> for Known {
    fn from(operation: &Operation) -> Self {
        let Operation { repeat, settles_within: settles, in_progress_until: in_progress, .. } = *operation;
        Self { repeat, settles, in_progress }
    }
}

/// The clock, the dice and the bounds, read once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(crate) now: Timestamp,
    pub(crate) unit: f64,
    pub(crate) limits: Limits,
}

impl Relay {
    pub(crate) fn moment(&self) -> Moment {
        let deps = &self.0.deps;
        Moment { now: deps.clock.now(), unit: deps.entropy.unit(), limits: deps.limits }
    }
}

/// What became of a row in one round.
#[derive(Debug)]
pub(crate) enum End {
    Delivered {
        output: Value,
        attempts: u32,
        member: Option<String>,
    },
    /// It is tried again; whether the system is in trouble.
    Again {
        retry: OutboxOp,
        trouble: bool,
    },
    Dead {
        fault: Fault,
        code: String,
    },
}

/// What a delivery came to.
pub(crate) fn judge(
    row: &OutboxRow,
    tell: &Tell,
    outcome: Result<Reply, Fault>,
    known: &Known,
    moment: &Moment,
) -> End {
    let fault = match outcome {
        Ok(reply) => return delivered(row, reply, moment.limits.output),
        Err(fault) => fault,
    };
    let round = Round { row, fault: &fault, known, moment };
    if fault.rejection.is_some() && fault.attempts == 0 && !round.sent_once_more() {
        return round.again(row.attempts, round.asked().max(round.backoff(row.attempts)));
    }
    let attempts = row.attempts + 1;
    // What was sent once more because a person said so, is not sent a third time by itself.
    let more = attempts < moment.limits.attempts && !round.sent_once_more();
    if fault.kind == Kind::InProgress && known.repeat == Repeat::Keyed {
        return round.in_progress();
    }
    if fault.landed == Landed::Yes {
        let answers = tell.undone && known.repeat != Repeat::Never && !fault.breach;
        return match answers && more {
            true => round.again(attempts, round.backoff(attempts)),
            false => lost_answer(row, &fault),
        };
    }
    if fault.may_resend(known.repeat, true) && more {
        return round.again(attempts, round.backoff(attempts).max(round.asked()));
    }
    match round.unsettled() {
        Some(wait) => round.again(row.attempts, wait),
        None => round.dead(),
    }
}

fn delivered(row: &OutboxRow, reply: Reply, most: usize) -> End {
    let attempts = row.sent + reply.attempts.max(1);
    let member = reply.member.as_deref().map(str::to_owned);
    End::Delivered { output: fitting(reply.output, most), attempts, member }
}

/// An answer that is too large is not kept.
fn fitting(output: Value, most: usize) -> Value {
    let fits = serde_json::to_vec(&output).is_ok_and(|bytes| bytes.len() <= most);
    if fits { output } else { Value::Null }
}

/// It arrived, and what the system answered is lost.
fn lost_answer(row: &OutboxRow, fault: &Fault) -> End {
    let member = fault.member.as_deref().map(str::to_owned);
    End::Delivered { output: Value::Null, attempts: row.sent + fault.attempts.max(1), member }
}

/// One round in vain.
struct Round<'a> {
    row: &'a OutboxRow,
    fault: &'a Fault,
    known: &'a Known,
    moment: &'a Moment,
}

impl Round<'_> {
    /// How long the system, or its guard, asks us to wait.
    fn asked(&self) -> Duration {
        self.fault.retry_after.unwrap_or_default().min(LONGEST)
    }

    fn backoff(&self, round: u32) -> Duration {
        let doubled = FIRST.saturating_mul(1 << round.saturating_sub(1).min(20)).min(LONGEST);
        doubled.mul_f64(0.5 + self.moment.unit.clamp(0.0, 1.0) / 2.0)
    }

    /// Whether this sending, or one before, may have landed.
    fn perhaps(&self) -> bool {
        self.row.perhaps || self.fault.landed != Landed::No
    }

    /// Until when it may still land.
    fn settles(&self) -> Option<Timestamp> {
        match self.fault.landed {
            Landed::No => self.row.settles.filter(|_| self.row.perhaps),
            Landed::Yes | Landed::Unknown => Some(self.after(self.known.settles)),
        }
    }

    fn after(&self, wait: Duration) -> Timestamp {
        later(self.moment.now, SignedDuration::try_from(wait).unwrap_or_default())
    }

    fn again(&self, attempts: u32, wait: Duration) -> End {
        let rejection = self.fault.rejection;
        let retry = OutboxOp::Retry {
            id: self.row.id.clone(),
            due: self.after(wait),
            attempts,
            sent: self.row.sent + self.fault.attempts,
            cause: self.fault.to_string(),
            blocked: rejection.map(|guard| guard.as_str().to_owned()),
            perhaps: self.perhaps(),
            settles: self.settles(),
        };
        End::Again { retry, trouble: self.fault.kind.may_pass() }
    }

    /// Asked again under the same key without spending an attempt, until it has taken too long.
    fn in_progress(&self) -> End {
        let first = self.row.settles.filter(|_| self.row.perhaps);
        let settles = first.unwrap_or_else(|| self.after(self.known.settles));
        let patience = SignedDuration::try_from(self.known.in_progress).unwrap_or_default();
        if later(settles, patience) <= self.moment.now {
            return End::unknown(self.fault.clone());
        }
        let End::Again { retry: OutboxOp::Retry { id, due, attempts, sent, cause, blocked, .. }, .. } =
            self.again(self.row.attempts, self.asked().max(FIRST))
        else {
            return self.dead();
        };
        let retry = OutboxOp::Retry {
            id,
            due,
            attempts,
            sent,
            cause,
            blocked,
            perhaps: true,
            settles: Some(settles),
        };
        End::Again { retry, trouble: false }
    }

    /// How long until a refusal counts for an earlier sending too, of which nobody knows whether it landed.
    fn unsettled(&self) -> Option<Duration> {
        let refused = self.fault.landed == Landed::No && !self.fault.kind.may_pass();
        let doubted = self.row.perhaps && self.known.repeat != Repeat::Never;
        let settles = self.row.settles.filter(|_| refused && doubted)?;
        let wait = Duration::try_from(settles.duration_since(self.moment.now)).ok()?;
        (!wait.is_zero()).then_some(wait.min(LONGEST))
    }

    /// Whether a sending before this one may have landed, of what must not be repeated.
    fn sent_once_more(&self) -> bool {
        self.row.perhaps && self.known.repeat == Repeat::Never
    }

    /// Nothing more is tried. A refusal of what must not be repeated tells nothing of an earlier sending.
    fn dead(&self) -> End {
        let fault = self.fault;
        let refused = fault.landed == Landed::No && !fault.kind.may_pass();
        let counts_for_all = refused && !self.sent_once_more();
        let landed = if self.row.perhaps && !counts_for_all { Landed::Unknown } else { fault.landed };
        let code = format!("call.{}", fault.kind.as_str());
        End::Dead { fault: Fault { landed, ..fault.clone() }, code }
    }
}

impl End {
    /// Names the member that had it or may have it, when the outcome names none.
    pub(crate) fn at(self, asked: Option<String>) -> Self {
        match self {
            Self::Delivered { output, attempts, member } => {
                Self::Delivered { output, attempts, member: member.or(asked) }
            }
            Self::Dead { fault, code } if fault.landed != Landed::No => {
                let member = fault.member.clone().or_else(|| asked.map(Into::into));
                Self::Dead { fault: Fault { member, ..fault }, code }
            }
            end => end,
        }
    }

    /// A look-up shows that it arrived.
    pub(crate) fn found(row: &OutboxRow, output: Value, most: usize) -> Self {
        Self::Delivered { output: fitting(output, most), attempts: row.sent.max(1), member: None }
    }

    /// It must not be sent again, and nobody knows whether it arrived.
    pub(crate) fn unknown(fault: Fault) -> Self {
        let code = match fault.kind {
            Kind::Internal => "flow.interrupted".to_owned(),
            kind => format!("call.{}", kind.as_str()),
        };
        Self::Dead { fault: Fault { landed: Landed::Unknown, ..fault }, code }
    }

    /// The rows that say so.
    pub(crate) fn batch(self, row: &OutboxRow, tell: &Tell, now: Timestamp) -> Batch {
        let id = row.id.clone();
        match self {
            Self::Again { retry, .. } => Batch { outbox: vec![retry], ..Batch::default() },
            Self::Delivered { output, attempts, member } => {
                let settled = Settled::Delivered { step: tell.step.clone(), output, attempts, member };
                // A letter that was written while it was thought dead.
                let settle =
                    DeadOp::Settle { id: letter_id(&row.id), how: store::DeadState::Replayed, at: now };
                Batch {
                    outbox: vec![OutboxOp::Done { id }],
                    answers: vec![settled.answer(&tell.run, now)],
                    dead: vec![settle],
                    ..Batch::default()
                }
            }
            Self::Dead { fault, code } => {
                let perhaps = fault.landed != Landed::No;
                let letter = letter(row, tell, &code, &fault, now);
                let settled = Settled::Dead {
                    step: tell.step.clone(),
                    code,
                    message: letter.message.clone(),
                    landed: fault.landed,
                    attempts: row.sent + fault.attempts,
                    member: fault.member.as_deref().map(str::to_owned),
                };
                Batch {
                    outbox: vec![OutboxOp::Bury { id, holds: tell.holds, perhaps }],
                    answers: vec![settled.answer(&tell.run, now)],
                    dead: vec![DeadOp::Put(letter)],
                    ..Batch::default()
                }
            }
        }
    }
}
