//! A conversation begins, is joined, pauses, and ends; runs begin and cease to wait.

use std::sync::Arc;

use act::{ConversationStatus, Participant};
use jiff::Timestamp;
use serde_json::Value;

use crate::decide::Signal;
use crate::{Closed, Closing, Conversation, Decision, Ended, Joined, Refusal, Rules, Started, Wait};

/// Begins a conversation with those who take part from the start. Whoever may speak for others vouches for the roles
/// and permissions they are said to have.
pub fn begin(
    talk: &Conversation,
    started: Started,
    participants: Vec<Participant>,
    vouched: bool,
) -> Result<Decision, Refusal> {
    if talk.exists() {
        return Err(Refusal::new("conversation.exists", "expected a name no other conversation has"));
    }
    let mut decision = Decision::default();
    decision.push(started);
    participants.into_iter().for_each(|participant| decision.push(Joined { participant, vouched }));
    Ok(decision)
}

/// Somebody takes part from now on. One who does already changes nothing.
pub fn join(
    rules: &Rules,
    talk: &Conversation,
    participant: Participant,
    vouched: bool,
) -> Result<Decision, Refusal> {
    let mut decision = Decision::default();
    if talk.status.is_over() {
        return Err(Refusal::closed());
    }
    match talk.participants.get(&participant.id) {
        Some(known) if *known == participant => {}
        Some(_) => {
            return Err(Refusal::new("participant.exists", "expected a name no other participant has"));
        }
        None if talk.participants.len() >= rules.limits.participants => {
            return Err(Refusal::full("participants"));
        }
        None => decision.push(Joined { participant, vouched }),
    }
    Ok(decision)
}

/// Gives the conversation another status: pauses it, lets it go on, or ends it. One that has ended stays as it is. Runs
/// that wait for an answer hear that none will come.
pub fn end(
    talk: &Conversation,
    status: ConversationStatus,
    error: Option<Value>,
    at: Timestamp,
) -> Result<Decision, Refusal> {
    if talk.status.is_over() {
        return Err(Refusal::closed());
    }
    let mut decision = Decision::default();
    if talk.status != status {
        let ended = Ended { status, at, error };
        decision.events.push(match status {
            ConversationStatus::Completed => crate::Event::Completed(ended),
            ConversationStatus::Failed => crate::Event::Failed(ended),
            _ => crate::Event::StatusChanged(ended),
        });
        if status.is_over() {
            talk.waits.iter().for_each(|wait| decision.close(wait, Closing::Ended, None, None));
        }
    }
    Ok(decision)
}

/// A run waits from now on. One that waits already in that step for the same changes nothing; an older question of the
/// step gives way.
pub fn open_waits(rules: &Rules, talk: &Conversation, waits: Vec<Wait>) -> Result<Decision, Refusal> {
    let question = |wait: &Wait| wait.question.as_ref().map(|question| question.id.clone());
    let same_step = |held: &&Wait, wait: &Wait| held.run == wait.run && held.step == wait.step;
    let known = |wait: &Wait| {
        talk.waits.iter().any(|held| same_step(&held, wait) && question(held) == question(wait))
    };
    let new: Vec<Wait> = waits.into_iter().filter(|wait| !known(wait)).collect();
    let old = |held: &&Wait| new.iter().any(|wait| same_step(held, wait));
    let old: Vec<&Wait> = talk.waits.iter().filter(old).collect();
    if talk.waits.len() + new.len() - old.len() > rules.limits.waits {
        return Err(Refusal::full("waits"));
    }
    let mut decision = Decision::default();
    for held in old {
        decision.push(closed(held, Closing::Withdrawn));
    }
    new.into_iter().for_each(|wait| decision.push(wait));
    Ok(decision)
}

/// A run waits no more: it timed out, was cancelled or ended.
pub fn close_waits(talk: &Conversation, run: &str, step: Option<&str>, how: Closing) -> Decision {
    let mut decision = Decision::default();
    for wait in talk.waits.iter().filter(|wait| wait.is_of(run, step, None)) {
        decision.push(closed(wait, how));
    }
    decision
}

/// A question is closed without an answer, and its run hears so. A question that is not open changes nothing.
pub fn close_question(
    talk: &Conversation,
    question: &str,
    how: Closing,
    by: Option<&str>,
    reason: Option<&str>,
) -> Decision {
    let mut decision = Decision::default();
    for wait in talk.waits.iter().filter(|wait| wait.asks(question)) {
        decision.close(wait, how, by, reason);
    }
    decision
}

fn closed(wait: &Wait, how: Closing) -> Closed {
    Closed {
        run: wait.run.clone(),
        step: Some(wait.step.clone()),
        question: wait.question.as_ref().map(|question| question.id.clone()),
        how: Some(how),
        by: None,
        reason: None,
    }
}

impl Decision {
    /// Closes a wait without an answer, and tells its run.
    pub(crate) fn close(&mut self, wait: &Wait, how: Closing, by: Option<&str>, reason: Option<&str>) {
        let (by, reason) = (by.map(str::to_owned), reason.map(str::to_owned));
        self.signals.push(Signal::closed(wait, how, by.as_deref(), reason.as_deref()));
        self.push(Closed { by, reason, ..closed(wait, how) });
    }
}

impl Started {
    /// A conversation of which only the tenant is known.
    pub fn new(tenant: impl Into<Arc<str>>, at: Timestamp) -> Self {
        Self { tenant: tenant.into(), at, channel: None, context: None }
    }
}
