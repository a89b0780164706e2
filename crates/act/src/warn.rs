//! What is odd about a document and no reason to refuse it.

use std::collections::HashSet;

use crate::issue::At;
use crate::{Act, Body, CommitStatus, Conversation, Failure, Issue, Rules, UnknownSpeaker};

/// What is odd about one act.
pub(crate) fn act(act: &Act) -> Vec<Issue> {
    act_at(act, &At::ROOT)
}

fn act_at(act: &Act, at: &At<'_>) -> Vec<Issue> {
    let mut out = Vec::new();
    let mut warn = |member: &str, code, message: &str| {
        out.push(Issue { pointer: at.member(member).pointer(), code, message: message.to_owned() });
    };
    match &act.body {
        Body::Ask(ask) if ask.retries() > ask.retry_limit() => {
            warn("retry_count", "warn.retries", "expected no more than max_retries");
        }
        Body::Confirm(confirm) if confirm.awaiting == Some(true) && confirm.confirmed == Some(true) => {
            warn("awaiting", "warn.awaiting", "expected false once confirmed is true");
        }
        Body::Commit(commit) => {
            if commit.retries() > commit.retry_limit() {
                warn("retry_count", "warn.retries", "expected no more than max_retries");
            }
            match (commit.state(), &commit.error) {
                (CommitStatus::Failed, None) => {
                    warn("error", "warn.no_error", "expected an error beside failed")
                }
                (CommitStatus::Success, Some(_)) => {
                    warn("error", "warn.error", "expected no error beside success")
                }
                _ => {}
            }
        }
        _ => {}
    }
    out
}

/// What is odd about a conversation and the acts in it.
pub(crate) fn conversation(conversation: &Conversation, rules: &Rules) -> Vec<Issue> {
    let known: HashSet<&str> = conversation.participants.iter().map(|who| who.id.as_str()).collect();
    let ids: HashSet<&str> = conversation.acts.iter().map(|act| act.id.as_str()).collect();
    let list = At::ROOT.member("acts");
    let mut out = Vec::new();
    let mut latest = None;
    for (index, act) in conversation.acts.iter().enumerate() {
        let at = list.item(index);
        let mut warn = |member: &str, code, message: &str| {
            out.push(Issue { pointer: at.member(member).pointer(), code, message: message.to_owned() });
        };
        if rules.unknown_speaker == UnknownSpeaker::Warn && !known.contains(act.speaker.as_str()) {
            warn("speaker", "warn.unknown_speaker", "expected a participant of this conversation");
        }
        if latest.is_some_and(|latest| act.timestamp.at() < latest) {
            warn("timestamp", "warn.clock", "expected no earlier time than the act before it");
        }
        latest = latest.max(Some(act.timestamp.at()));
        if let Body::Error(Failure { related_act_id: Some(id), .. }) = &act.body
            && !ids.contains(id.as_str())
        {
            warn("related_act_id", "warn.related_act", "expected the name of an act of this conversation");
        }
        out.extend(act_at(act, &at));
    }
    out
}
