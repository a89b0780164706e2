//! What the outcome of a call means: done, tried again, exhausted, unknown, failed. Pure, so that it can be proven.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use port::{Fault, Kind, Landed, Repeat, Reply};
use relay::spread;
use serde_json::Value;

use super::answered::Answered;
use super::doubt::is_definitive;
use super::event::Event;
use super::failure::Failure;
use super::state::State;
use super::time::later;
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
            Ok(reply) => self.answered(effect, reply, ms, verdict),
            Err(fault) => self.refused(effect, fault, ms, verdict),
        }
    }

    fn answered(&self, effect: &Effect, reply: Reply, ms: u64, verdict: Verdict) -> Event {
        let (path, output, member) = (effect.path.clone(), reply.output, effect.acted(reply.member));
        let attempts = reply.attempts.max(1);
        if size_exceeds(&output, verdict.max_output) {
            return self.too_large(effect, member, (attempts, ms), verdict);
        }
        match effect.purpose {
            Purpose::Do => {
                let (output, answered) = (Arc::new(output), Answered::of(reply.status, reply.metadata));
                Event::StepSucceeded { path, output, attempts, ms, member, answered }
            }
            Purpose::Undo => Event::StepCompensated { path, attempts, ms, member },
            Purpose::Recall => Event::OutcomeFound { path, output: Some(Arc::new(output)) },
            Purpose::Before => seen_before(path, output),
            Purpose::Verify => self.looked(effect, output, verdict),
        }
    }

    fn too_large(
        &self,
        effect: &Effect,
        member: Option<Arc<str>>,
        (attempts, ms): (u32, u64),
        verdict: Verdict,
    ) -> Event {
        let path = effect.path.clone();
        let said = format!("the answer is larger than {} bytes", verdict.max_output);
        let error = Failure { member, attempts, ..Failure::new(&path, "flow.output_too_large", said) };
        match effect.purpose {
            Purpose::Do | Purpose::Undo | Purpose::Recall => {
                self.answer_lost(effect, Failure { landed: Landed::Yes, ..error }, ms)
            }
            Purpose::Before => Event::StepFailed { path, error, ms },
            Purpose::Verify => self.given_up(effect, Failure { landed: Landed::Unknown, ..error }),
        }
    }

    /// The effect is there; only its answer is of no use, and would be of none if it came again.
    fn answer_lost(&self, effect: &Effect, error: Failure, ms: u64) -> Event {
        let path = effect.path.clone();
        match effect.purpose {
            Purpose::Undo => {
                let (attempts, member) = (error.attempts.max(1), error.member);
                Event::StepCompensated { path, attempts, ms, member }
            }
            Purpose::Recall => Event::CompensationParked { path, error },
            _ if effect.repeat == Repeat::Safe => Event::StepFailed { path, error, ms },
            _ => Event::StepUnknown { path, error },
        }
    }

    fn refused(&self, effect: &Effect, fault: Fault, ms: u64, verdict: Verdict) -> Event {
        let path = effect.path.clone();
        let fault = &self.doubted(effect, fault);
        let member = effect.acted(fault.member.clone());
        let error = Failure { member: member.clone(), ..Failure::of(&path, fault) };
        if let Some(reason) = fault.rejection
            && (fault.attempts == 0 || !fault.may_resend(named_repeat(effect, fault), true))
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
        match effect.purpose {
            Purpose::Do | Purpose::Undo | Purpose::Recall if fault.breach => {
                self.answer_lost(effect, error, ms)
            }
            Purpose::Verify => self.looked_in_vain(effect, fault, error, verdict),
            _ if fault.kind == Kind::InProgress => self.not_finished(effect, fault, error, verdict),
            Purpose::Do => self.not_done(effect, fault, error, ms, verdict),
            Purpose::Before => self.not_looked(effect, fault, error, ms, verdict),
            Purpose::Recall => self.not_recalled(effect, fault, error, verdict),
            Purpose::Undo => self.not_undone(effect, fault, error, verdict),
        }
    }

    /// What a step's failed call amounts to.
    fn not_done(&self, effect: &Effect, fault: &Fault, error: Failure, ms: u64, verdict: Verdict) -> Event {
        let path = effect.path.clone();
        let repeat = named_repeat(effect, fault);
        let again = || self.another_round(effect, fault, verdict).map(|wait| later(verdict.now, wait));
        match (fault.landed, repeat) {
            (Landed::No, _) if self.is_second(effect, fault) => {
                self.refused_again(effect, repeat, error, ms, verdict)
            }
            (Landed::No, _) | (_, Repeat::Safe) => match again().filter(|_| fault.may_resend(repeat, true)) {
                Some(until) => Event::StepRetried { path, error, until },
                None if fault.kind.may_pass() && fault.landed != Landed::Yes => {
                    Event::StepExhausted { path, error }
                }
                None => Event::StepFailed { path, error, ms },
            },
            (Landed::Unknown | Landed::Yes, Repeat::Keyed) => match again() {
                Some(until) => Event::StepRetried { path, error, until },
                None if self.can_verify(&path, &error) => Event::StepUnknown { path, error },
                None => Event::StepExhausted { path, error },
            },
            (Landed::Unknown | Landed::Yes, Repeat::Never) => Event::StepUnknown { path, error },
        }
    }

    /// Whether a refusal is that of a later send: one before it may have landed, or was only not found; or it has landed,
    /// and its run was restarted.
    fn is_second(&self, effect: &Effect, fault: &Fault) -> bool {
        let refused = is_definitive(fault.kind) && fault.rejection.is_none();
        let resent = || self.leaf(&effect.path).is_some_and(|leaf| leaf.resent);
        let looks = || self.task(&effect.path).is_some_and(|task| task.verify.is_some());
        let done = || named_repeat(effect, fault) == Repeat::Never && self.stands(&effect.path);
        let second = effect.perhaps || (refused && (done() || (resent() && looks())));
        second && !store::mutant("refuse-second-send-counts")
    }

    /// A refusal of a later send proves nothing about an earlier one: it is looked up; or, under a key, the send is made
    /// once more when the earlier one has settled, and then it counts for all.
    fn refused_again(
        &self,
        effect: &Effect,
        repeat: Repeat,
        error: Failure,
        ms: u64,
        verdict: Verdict,
    ) -> Event {
        let path = effect.path.clone();
        let usual = verdict.now.checked_add(self.settling(&path)).unwrap_or(verdict.now);
        let settles = self.settles(&path).unwrap_or(usual);
        let doubtful = Failure { landed: Landed::Unknown, ..error.clone() };
        match repeat {
            _ if self.can_verify(&path, &error) => Event::StepUnknown { path, error: doubtful },
            Repeat::Keyed if began(verdict) >= settles => Event::StepFailed { path, error, ms },
            Repeat::Safe => Event::StepFailed { path, error, ms },
            Repeat::Keyed => Event::StepUnfinished { path, error: doubtful, until: settles },
            Repeat::Never => Event::StepUnknown { path, error: doubtful },
        }
    }

    /// "Still at an earlier request with this key" is no answer: asked again, until the operation's time for that is over.
    fn not_finished(&self, effect: &Effect, fault: &Fault, error: Failure, verdict: Verdict) -> Event {
        let path = effect.path.clone();
        let since = self.leaf(&path).and_then(|leaf| leaf.unfinished).unwrap_or(verdict.now);
        let limit = self.asked(&path).map_or(port::IN_PROGRESS_UNTIL, |call| call.in_progress);
        let wait = fault.retry_after.unwrap_or(REJECTED).min(ASKED_MAX);
        match (later(since, limit) > verdict.now, effect.purpose) {
            (true, _) => {
                let until = later(verdict.now, spread(wait, verdict.unit));
                Event::StepUnfinished { path, error, until }
            }
            (false, Purpose::Do) => Event::StepExhausted { path, error },
            (false, _) => Event::CompensationParked { path, error },
        }
    }

    /// Without the look-up before it, the step is not sent.
    fn not_looked(&self, effect: &Effect, fault: &Fault, error: Failure, ms: u64, verdict: Verdict) -> Event {
        let path = effect.path.clone();
        let error = Failure { landed: Landed::No, ..error };
        if fault.kind == Kind::NotFound {
            return seen_before(path, Value::Null);
        }
        match self.another_round(effect, fault, verdict).filter(|_| fault.kind.may_pass()) {
            Some(wait) => Event::StepRetried { path, error, until: later(verdict.now, wait) },
            None if fault.kind.may_pass() => Event::StepExhausted { path, error },
            None => Event::StepFailed { path, error, ms },
        }
    }

    fn not_recalled(&self, effect: &Effect, fault: &Fault, error: Failure, verdict: Verdict) -> Event {
        let path = effect.path.clone();
        let settles = self.settles(&path).unwrap_or(verdict.now);
        let again = fault.may_resend(named_repeat(effect, fault), true);
        match self.another_round(effect, fault, verdict) {
            Some(wait) if again => Event::StepRetried { path, error, until: later(verdict.now, wait) },
            _ if fault.landed != Landed::No || fault.kind.may_pass() => {
                Event::CompensationParked { path, error }
            }
            // A refusal of this send says nothing of the first, before that has settled.
            _ if began(verdict) < settles => Event::StepUnfinished { path, error, until: settles },
            _ => Event::OutcomeFound { path, output: None },
        }
    }

    fn not_undone(&self, effect: &Effect, fault: &Fault, error: Failure, verdict: Verdict) -> Event {
        let path = effect.path.clone();
        let known = self.undoes_what_landed(&path);
        let again = fault.may_resend(named_repeat(effect, fault), true);
        match self.another_round(effect, fault, verdict) {
            Some(wait) if again => Event::StepRetried { path, error, until: later(verdict.now, wait) },
            // It was asked after settling, so nothing was there to undo.
            _ if fault.kind == Kind::NotFound && !known => Event::OutcomeFound { path, output: None },
            // A repeatable undoing of something that is not there has reached its goal.
            _ if fault.kind == Kind::NotFound && effect.repeat == Repeat::Safe => {
                let (attempts, ms) = (error.attempts, 0);
                Event::StepCompensated { path, attempts, ms, member: error.member }
            }
            _ => Event::CompensationParked { path, error },
        }
    }

    fn undoes_what_landed(&self, path: &str) -> bool {
        let done = self.leaf(path).and_then(|leaf| self.done.get(leaf.undoes?));
        done.is_none_or(|done| done.known)
    }

    /// The fault, with what the journal knows beyond it: that an earlier call may have landed, and whom a call went to
    /// that was given up before anybody could say so.
    fn doubted(&self, effect: &Effect, mut fault: Fault) -> Fault {
        let said_no = is_definitive(fault.kind) && fault.rejection.is_none();
        if effect.perhaps && fault.landed == Landed::No && !said_no {
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
        // Under its key, what may have landed is asked for again whatever went wrong with the answer.
        let doubtful = fault.landed != Landed::No && !fault.kind.may_pass();
        let again = (doubtful || retry.covers(Some(fault.kind))) && spent < retry.attempts;
        again.then(|| retry.backoff(spent, verdict.unit))
    }

    fn retry(&self, effect: &Effect) -> Retry {
        let task: Option<&Arc<Task>> = self.task(&effect.path);
        match (task, effect.purpose) {
            (Some(task), Purpose::Do | Purpose::Before) => task.retry.clone(),
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

/// When the call was sent whose outcome is judged.
pub(super) fn began(verdict: Verdict) -> Timestamp {
    let took = SignedDuration::try_from(verdict.took).unwrap_or_default();
    verdict.now.checked_sub(took).unwrap_or(verdict.now)
}

/// Whoever is named is asked again, and repeats it as safely as it says.
fn named_repeat(effect: &Effect, fault: &Fault) -> Repeat {
    match fault.member.as_deref() {
        Some(named) => effect.members.repeat_at(named),
        // What is `keyed` at the member that was asked again is `never` for the group.
        None => effect.repeat,
    }
}

fn seen_before(path: Arc<str>, answer: Value) -> Event {
    let answer = Some(Arc::new(answer));
    Event::OutcomeLookedUp { path, answer, error: None, until: None, before: true }
}

/// `Retry-After` when there is one, else doubling from a second to a minute; with jitter on top either way.
fn rejection_wait(asked: Option<Duration>, verdict: Verdict) -> Duration {
    let doubled = REJECTED.saturating_mul(1 << verdict.rejected.min(6));
    spread(asked.unwrap_or(doubled).min(REJECTED_MAX), verdict.unit)
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
