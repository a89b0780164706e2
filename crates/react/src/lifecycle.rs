//! A conversation begins, is joined, pauses, and ends; runs begin and cease to wait.

use std::sync::Arc;

use act::{ConversationStatus, Participant};
use jiff::Timestamp;
use serde_json::Value;

use crate::{Closed, Conversation, Decision, Ended, Joined, Refusal, Rules, Started, Wait};

/// Begins a conversation with those who take part from the start.
pub fn begin(
    talk: &Conversation,
    started: Started,
    participants: Vec<Participant>,
) -> Result<Decision, Refusal> {
    if talk.exists() {
        return Err(Refusal::new("conversation.exists", "expected a name no other conversation has"));
    }
    let mut decision = Decision::default();
    decision.push(started);
    participants.into_iter().for_each(|participant| decision.push(Joined { participant }));
    Ok(decision)
}

/// Somebody takes part from now on. One who does already changes nothing.
pub fn join(rules: &Rules, talk: &Conversation, participant: Participant) -> Result<Decision, Refusal> {
    let mut decision = Decision::default();
    match talk.participants.get(&participant.id) {
        Some(known) if *known == participant => {}
        Some(_) => {
            return Err(Refusal::new("participant.exists", "expected a name no other participant has"));
        }
        None if talk.participants.len() >= rules.limits.participants => {
            return Err(Refusal::full("participants"));
        }
        None => decision.push(Joined { participant }),
    }
    Ok(decision)
}

/// Gives the conversation another status: pauses it, lets it go on, or ends it. One that has ended stays as it is.
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
    }
    Ok(decision)
}

/// A run waits from now on. One that waits already in that step changes nothing.
pub fn open_waits(rules: &Rules, talk: &Conversation, waits: Vec<Wait>) -> Result<Decision, Refusal> {
    let known = |wait: &Wait| talk.waits.iter().any(|held| held.run == wait.run && held.step == wait.step);
    let new: Vec<Wait> = waits.into_iter().filter(|wait| !known(wait)).collect();
    if talk.waits.len() + new.len() > rules.limits.waits {
        return Err(Refusal::full("waits"));
    }
    let mut decision = Decision::default();
    new.into_iter().for_each(|wait| decision.push(wait));
    Ok(decision)
}

/// A run waits no more: it timed out, was cancelled or ended.
pub fn close_waits(talk: &Conversation, run: &str, step: Option<&str>) -> Decision {
    let mut decision = Decision::default();
    if talk.waits.iter().any(|wait| wait.run == run && step.is_none_or(|step| step == wait.step)) {
        decision.push(Closed { run: run.to_owned(), step: step.map(str::to_owned) });
    }
    decision
}

impl Started {
    /// A conversation of which only the tenant is known.
    pub fn new(tenant: impl Into<Arc<str>>, at: Timestamp) -> Self {
        Self { tenant: tenant.into(), at, channel: None, context: None }
    }
}
