//! What the outcome of a call means: done, tried again, exhausted, unknown, failed. Pure, so that it can be proven.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use port::{Fault, Kind, Landed, Repeat, Reply};
use serde_json::Value;

use super::event::Event;
use super::failure::Failure;
use super::frame::Vars;
use super::state::State;
use super::{Effect, Purpose};
use crate::definition::{Retry, Task};

/// Without a better figure a rejected call is made again after this.
const REJECTED: Duration = Duration::from_secs(1);
/// The longest wait after a rejection.
const REJECTED_MAX: Duration = Duration::from_secs(60);
/// The longest wait that a system may ask for.
const ASKED_MAX: Duration = Duration::from_secs(3600);
/// The fewest rounds of a call that was made in vain, when the system or its guard says when to come back. There is an
/// end to them, or a call that opens its own breaker would do so for ever.
const TOLD_ROUNDS: u32 = 20;

/// What the driver knows of a call when it has ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Verdict {
    pub(crate) now: Timestamp,
    pub(crate) took: Duration,
    /// Dice in `0.0..1.0`, for jitter.
    pub(crate) unit: f64,
    /// The largest output of a step, in bytes of JSON.
    pub(crate) max_output: usize,
    /// How often in a row this call was rejected by a guard.
    pub(crate) rejected: u32,
}

impl State {
    /// The event that a call's outcome amounts to.
    pub(crate) fn judge(&self, effect: &Effect, outcome: Result<Reply, Fault>, verdict: Verdict) -> Event {
        let ms = u64::try_from(verdict.took.as_millis()).unwrap_or(u64::MAX);
        match outcome {
            Ok(reply) => self.answered(effect, reply, ms, verdict.max_output),
            Err(fault) => self.refused(effect, fault, ms, verdict),
        }
    }

    fn answered(&self, effect: &Effect, reply: Reply, ms: u64, max_output: usize) -> Event {
        let (path, output, member) = (effect.path.clone(), reply.output, effect.acted(reply.member));
        let attempts = reply.attempts.max(1);
        if size_exceeds(&output, max_output) {
            let said = format!("the answer is larger than {max_output} bytes");
            let error = Failure {
                landed: Landed::Yes,
                member: member.clone(),
                ..Failure::new(&path, "flow.output_too_large", said)
            };
            return match effect.purpose {
                Purpose::Undo => Event::StepCompensated { path, attempts, ms, member },
                Purpose::Do | Purpose::Verify => Event::StepFailed { path, error, ms },
                Purpose::Recall => Event::CompensationParked { path, error },
            };
        }
        match effect.purpose {
            Purpose::Do => Event::StepSucceeded { path, output: Arc::new(output), attempts, ms, member },
            Purpose::Undo => Event::StepCompensated { path, attempts, ms, member },
            Purpose::Recall => Event::OutcomeFound { path, output: Some(Arc::new(output)) },
            Purpose::Verify => self.verified(&path, output),
        }
    }

    /// What a verification's answer says.
    fn verified(&self, path: &Arc<str>, output: Value) -> Event {
        let Some(verify) = self.task(path).and_then(|task| task.verify.as_ref()) else {
            return Event::OutcomeFound { path: path.clone(), output: None };
        };
        let vars = Vars::default().bind(&"result".into(), output.clone());
        let scope = self.scope(&vars);
        let found = match &verify.found {
            Some(found) => found.test(&scope),
            None => Ok(!output.is_null()),
        };
        let output = found.and_then(|found| match (&verify.output, found) {
            (_, false) => Ok(None),
            (None, true) => Ok(Some(Arc::new(output.clone()))),
            (Some(mapping), true) => mapping.eval(&scope).map(|value| Some(Arc::new(value))),
        });
        match output {
            Ok(output) => Event::OutcomeFound { path: path.clone(), output },
            Err(error) => {
                let error = Failure {
                    landed: Landed::Unknown,
                    ..Failure::new(path, "flow.expression", error.message)
                };
                Event::StepExhausted { path: path.clone(), error }
            }
        }
    }

    fn refused(&self, effect: &Effect, fault: Fault, ms: u64, verdict: Verdict) -> Event {
        let path = effect.path.clone();
        let fault = &self.doubted(effect, fault);
        let member = effect.acted(fault.member.clone());
        let error = Failure { member: member.clone(), ..Failure::of(&path, fault) };
        // Whoever is named is asked again, and repeats it as safely as it says.
        let repeat = fault.member.as_deref().map_or(effect.repeat, |named| effect.members.repeat_at(named));
        let may_resend = fault.may_resend(repeat, true);
        if let Some(reason) = fault.rejection
            && (fault.attempts == 0 || !may_resend)
        {
            let until = later(verdict.now, rejection_wait(fault.retry_after, verdict));
            let perhaps = fault.landed != Landed::No && !effect.purpose.asks();
            return Event::StepBlocked {
                path,
                reason,
                system: effect.system.clone(),
                until,
                perhaps,
                member,
            };
        }
        if may_resend && let Some(wait) = self.another_round(effect, fault, verdict) {
            return Event::StepRetried { path, error, until: later(verdict.now, wait) };
        }
        match effect.purpose {
            Purpose::Do => outcome(effect, path, fault, error, ms),
            Purpose::Verify if fault.kind == Kind::NotFound => Event::OutcomeFound { path, output: None },
            Purpose::Verify => {
                Event::StepExhausted { path, error: Failure { landed: Landed::Unknown, ..error } }
            }
            Purpose::Recall if !fault.kind.may_pass() && fault.landed == Landed::No => {
                Event::OutcomeFound { path, output: None }
            }
            // A repeatable undoing of something that is not there has reached its goal.
            Purpose::Undo if fault.kind == Kind::NotFound && effect.repeat == Repeat::Safe => {
                Event::StepCompensated { path, attempts: error.attempts, ms, member }
            }
            Purpose::Recall | Purpose::Undo => Event::CompensationParked { path, error },
        }
    }

    /// The fault, with what the journal knows beyond it: that an earlier call may have landed, and whom a call went to
    /// that was given up before anybody could say so.
    fn doubted(&self, effect: &Effect, mut fault: Fault) -> Fault {
        if effect.perhaps && fault.landed == Landed::No && !is_settled(&fault) {
            fault.landed = Landed::Unknown;
        }
        if fault.landed != Landed::No && effect.first.is_some() {
            let asked = self.leaf(&effect.path).and_then(|leaf| leaf.asked.clone());
            fault.member = fault.member.or(asked);
        }
        fault
    }

    /// How long to wait before the call is made once more; `None` when it was made often enough.
    fn another_round(&self, effect: &Effect, fault: &Fault, verdict: Verdict) -> Option<Duration> {
        let retry = self.retry(effect);
        let spent = self.rounds(&effect.path) + 1;
        if let Some(asked) = fault.retry_after.or(fault.rejection.map(|_| REJECTED_MAX)) {
            let wait = spread(asked.min(ASKED_MAX), verdict.unit);
            return (spent < retry.attempts.max(TOLD_ROUNDS))
                .then(|| wait.max(retry.backoff(spent, verdict.unit)));
        }
        let again = retry.covers(Some(fault.kind)) && spent < retry.attempts;
        again.then(|| retry.backoff(spent, verdict.unit))
    }

    fn retry(&self, effect: &Effect) -> Retry {
        let task: Option<&Arc<Task>> = self.task(&effect.path);
        match (task, effect.purpose) {
            (Some(task), Purpose::Do) => task.retry.clone(),
            (Some(task), Purpose::Undo | Purpose::Recall) => {
                task.compensate.as_ref().map_or(Retry::COMPENSATION, |undo| undo.retry.clone())
            }
            (_, _) => Retry::COMPENSATION,
        }
    }

    fn rounds(&self, path: &str) -> u32 {
        let id = self.leaves.get(path);
        id.and_then(|id| self.active.get(id)).and_then(|active| active.leaf()).map_or(0, |leaf| leaf.rounds)
    }
}

fn outcome(effect: &Effect, path: Arc<str>, fault: &Fault, error: Failure, ms: u64) -> Event {
    // What is `keyed` at the member that was asked again is `never` for the group.
    let is_final = match effect.repeat {
        Repeat::Never => true,
        Repeat::Keyed => effect.members.are_several(),
        Repeat::Safe => false,
    };
    match fault.landed {
        Landed::Unknown if is_final => Event::StepUnknown { path, error },
        _ if fault.kind.may_pass() && fault.landed != Landed::Yes => Event::StepExhausted { path, error },
        _ => Event::StepFailed { path, error, ms },
    }
}

/// Whether the system's answer tells what became of the same call before: it would have been taken then as well, so it
/// was not.
fn is_settled(fault: &Fault) -> bool {
    let answered = matches!(fault.kind, Kind::Refused | Kind::NotFound | Kind::Invalid);
    answered && fault.rejection.is_none()
}

/// `Retry-After` when there is one, else doubling from a second to a minute; with jitter on top either way.
fn rejection_wait(asked: Option<Duration>, verdict: Verdict) -> Duration {
    let doubled = REJECTED.saturating_mul(1 << verdict.rejected.min(6));
    spread(asked.unwrap_or(doubled).min(REJECTED_MAX), verdict.unit)
}

/// Up to a quarter longer, so that not all come back at once.
fn spread(wait: Duration, unit: f64) -> Duration {
    wait + wait.mul_f64(unit.clamp(0.0, 1.0) / 4.0)
}

fn later(now: Timestamp, wait: Duration) -> Timestamp {
    let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::from_hours(24));
    now.checked_add(wait).unwrap_or(Timestamp::MAX)
}

/// Whether the JSON of a value is longer than `limit`, without writing it all.
fn size_exceeds(value: &Value, limit: usize) -> bool {
    struct Counter(usize);
    impl std::io::Write for Counter {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 = self.0.checked_sub(bytes.len()).ok_or(std::io::ErrorKind::StorageFull)?;
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    serde_json::to_writer(Counter(limit), value).is_err()
}
