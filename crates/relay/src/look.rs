//! A message that must not be sent again and may have arrived is looked up, when it says how.

use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use port::{Fault, Kind, Landed};
use serde_json::Value;
use store::{OutboxOp, OutboxRow};

use crate::looking::{Looking, Nothing, Times};
use crate::round::{LONGEST, later};
use crate::running::Relay;
use crate::tell::{Look, Tell};
use crate::verdict::{End, Known, Moment};

/// What keeps a row in that is looked up.
const VERIFYING: &str = "verifying";
/// For so long after its time a look-up may fail before a person decides.
const FAILING: SignedDuration = SignedDuration::from_mins(10);

/// Finds out whether a message arrived: whoever told it knows what to ask, and what an answer shows.
pub trait LooksUp: Send + Sync + 'static {
    /// What the system answered or would have answered, when the message arrived; `None` when nothing of it is there.
    fn look<'a>(
        &'a self,
        row: &'a OutboxRow,
        tell: &'a Tell,
        look: &'a Look,
    ) -> BoxFuture<'a, Result<Option<Value>, Fault>>;
}

impl Relay {
    /// Of a row that was sent, must not be sent again, and of which nobody wrote the end.
    pub(crate) async fn look_up(&self, row: &OutboxRow, tell: &Tell, known: &Known) -> End {
        let Some(look) = &tell.look else { return End::unknown(interrupted()) };
        let began = self.0.deps.clock.now();
        let seen = self.0.deps.looks_up.look(row, tell, look).await;
        let moment = self.moment();
        let settles = row.settles.unwrap_or(began);
        let within = SignedDuration::try_from(known.settles).unwrap_or_default();
        let since = settles.checked_sub(within).unwrap_or(settles);
        let times = Times { since, settles, began, now: moment.now, unit: moment.unit };
        seen_of(row, &look.looking(), seen, &times, &moment)
    }
}

fn interrupted() -> Fault {
    Fault::new(Kind::Internal, Landed::Unknown, "stopped between sending the message and writing its outcome")
}

/// A message that may have arrived is looked up instead of being given up.
pub(crate) fn doubted(end: End, row: &OutboxRow, tell: &Tell, known: &Known, moment: &Moment) -> End {
    match (end, &tell.look) {
        (End::Dead { fault, .. }, Some(look)) if fault.landed == Landed::Unknown => {
            let settles = after(moment.now, known.settles);
            let due = after(moment.now, look.looking().after);
            let sent = row.sent + fault.attempts;
            End::Again {
                retry: looked_again(row, due, settles, fault.to_string(), sent),
                trouble: fault.kind.may_pass(),
            }
        }
        (end, _) => end,
    }
}

/// What a look-up comes to.
fn seen_of(
    row: &OutboxRow,
    looking: &Looking,
    seen: Result<Option<Value>, Fault>,
    times: &Times,
    moment: &Moment,
) -> End {
    let waits = |due, cause| {
        let retry = looked_again(row, due, times.settles, cause, row.sent);
        End::Again { retry, trouble: false }
    };
    match seen {
        Ok(Some(output)) => End::found(row, output, moment.limits.output),
        Ok(None) => match looking.nothing(times) {
            Nothing::Again(due) => waits(due, "looked up, and nothing found yet".to_owned()),
            Nothing::Send if row.attempts + 1 < moment.limits.attempts => sent_again(row, times.now),
            Nothing::Send => {
                dead("sent as often as it may be, and never found", Landed::No, "flow.not_found")
            }
            Nothing::Fail => dead(
                "it did not arrive: a look-up after it had settled found nothing",
                Landed::No,
                "flow.not_found",
            ),
            Nothing::Park => dead(
                "looked up until its time was over, and nothing was found",
                Landed::Unknown,
                "flow.outcome_unknown",
            ),
        },
        Err(fault) if times.began >= later(looking.over(times), FAILING) => End::Dead {
            fault: Fault { landed: Landed::Unknown, ..fault },
            code: "flow.outcome_unknown".into(),
        },
        Err(fault) => {
            let passed = Duration::try_from(times.now.duration_since(times.since)).unwrap_or_default();
            // The longer it goes on, the less often it is asked.
            let wait = looking.every.max(passed / 2).min(LONGEST);
            let wait = wait.max(fault.retry_after.unwrap_or_default().min(LONGEST));
            waits(after(times.now, wait), format!("looking it up: {fault}"))
        }
    }
}

fn looked_again(row: &OutboxRow, due: Timestamp, settles: Timestamp, cause: String, sent: u32) -> OutboxOp {
    OutboxOp::Retry {
        id: row.id.clone(),
        due,
        attempts: row.attempts,
        sent,
        cause,
        blocked: Some(VERIFYING.to_owned()),
        perhaps: true,
        settles: Some(settles),
    }
}

/// Nothing of it is there, and its author says that this is final.
fn sent_again(row: &OutboxRow, now: Timestamp) -> End {
    let retry = OutboxOp::Retry {
        id: row.id.clone(),
        due: now,
        attempts: row.attempts + 1,
        sent: row.sent,
        cause: "looked up, nothing found, and sent again".to_owned(),
        blocked: None,
        perhaps: false,
        settles: None,
    };
    End::Again { retry, trouble: false }
}

fn dead(said: &'static str, landed: Landed, code: &str) -> End {
    End::Dead { fault: Fault::new(Kind::Internal, landed, said), code: code.to_owned() }
}

fn after(now: Timestamp, wait: Duration) -> Timestamp {
    later(now, SignedDuration::try_from(wait).unwrap_or_default())
}
