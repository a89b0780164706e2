//! Whether an act can be taken at all.

use act::{Act, Body, CommitStatus, ConversationStatus, Issue, UnknownSpeaker};

use super::{Refusal, size};
use crate::{Conversation, Rules};

/// Refuses what cannot be taken; tells what is odd.
pub(super) fn admit(rules: &Rules, talk: &Conversation, act: &Act) -> Result<Vec<Issue>, Refusal> {
    if !talk.exists() {
        return Err(Refusal::new("conversation.unknown", "expected a conversation that has begun"));
    }
    if talk.status.is_over() {
        return Err(Refusal::closed());
    }
    let wants_work = matches!(&act.body, Body::Commit(commit) if commit.state() == CommitStatus::Pending);
    if wants_work && talk.status == ConversationStatus::Paused {
        return Err(Refusal::new("conversation.paused", "expected a conversation that is not paused"));
    }
    room(rules, talk, act)?;
    let mut warnings = Vec::new();
    let mut warn = |pointer: &str, code: &'static str, message: &str| {
        warnings.push(Issue { pointer: pointer.to_owned(), code, message: message.to_owned() });
    };
    if !talk.participants.contains_key(&act.speaker) {
        let message = "expected a participant of this conversation";
        match rules.speakers {
            UnknownSpeaker::Allow => {}
            UnknownSpeaker::Warn => warn("/speaker", "warn.unknown_speaker", message),
            UnknownSpeaker::Reject => {
                return Err(Refusal { pointer: "/speaker", ..Refusal::new("act.unknown_speaker", message) });
            }
        }
    }
    if talk.latest.is_some_and(|latest| act.timestamp.at() < latest) {
        warn("/timestamp", "warn.clock", "expected no earlier time than the acts before it");
    }
    Ok(warnings)
}

/// Whether the conversation has room for what the act adds.
fn room(rules: &Rules, talk: &Conversation, act: &Act) -> Result<(), Refusal> {
    let limits = &rules.limits;
    if let Some(entity) = act.body.entity() {
        match talk.entities.get(entity.id()) {
            None if talk.entities.len() >= limits.entities => return Err(Refusal::full("entities")),
            Some(held) if held.fields.len() >= limits.fields => {
                if matches!(&act.body, Body::Fact(fact) if !held.fields.contains_key(&fact.field)) {
                    return Err(Refusal::full("fields"));
                }
            }
            _ => {}
        }
    }
    match &act.body {
        Body::Fact(fact) => size::admit(limits, talk, fact),
        Body::Ask(ask) if talk.asks.len() >= limits.asks && !talk.asks.contains_key(&ask.field) => {
            Err(Refusal::full("open asks"))
        }
        Body::Commit(_) if talk.commits.contains_key(act.id.as_str()) => Err(Refusal {
            pointer: "/id",
            ..Refusal::new("act.exists", "expected a name no earlier act has")
        }),
        Body::Commit(_) if talk.commits.len() >= limits.commits && is_full(talk, limits.commits) => {
            Err(Refusal::full("open commits"))
        }
        _ => Ok(()),
    }
}

/// Whether so many commits are worked on. A conversation that an older version wrote remembers some that are over.
fn is_full(talk: &Conversation, limit: usize) -> bool {
    talk.commits.values().filter(|commitment| !commitment.is_over()).count() >= limit
}
