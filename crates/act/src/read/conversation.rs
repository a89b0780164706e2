//! Conversations: their members, then what must hold between them.

use std::collections::HashSet;

use serde_json::Value;

use super::members::Members;
use super::open::{Form, OpenMember};
use super::scalar::{conversation_id, text, time, word};
use super::{act, participant};
use crate::issue::{At, Findings, code};
use crate::{Act, Conversation, ConversationId, Participant, Rules, UnknownSpeaker};

/// What is known of a conversation's context.
pub(crate) const CONTEXT: &[OpenMember] = &[
    ("session_id", Form::Text),
    ("user_agent", Form::Text),
    ("ip_address", Form::Text),
    ("referrer", Form::Text),
];

/// What is known of a conversation's metadata.
pub(crate) const METADATA: &[OpenMember] = &[
    ("total_duration_ms", Form::Count),
    ("act_count", Form::Count),
    ("error_count", Form::Count),
    ("commit_count", Form::Count),
    ("avg_confidence", Form::Unit),
];

pub(crate) fn conversation(
    value: Value,
    at: At<'_>,
    rules: &Rules,
    found: &mut Findings,
) -> Option<Conversation> {
    let mut members = Members::open(value, at, rules, found)?;
    let id = members.required("id", conversation_id);
    members.bounded("id", id.as_ref().map(ConversationId::as_str), ConversationId::LONGEST);
    let participants = members.required_list("participants", participant);
    if participants.as_ref().is_some_and(Vec::is_empty) {
        let at = members.at.member("participants");
        members.found.shape(&at, code::BOUND, "expected at least one participant");
    }
    let acts = members.required_list("acts", act);
    let started_at = members.optional("started_at", time);
    let ended_at = members.optional("ended_at", time);
    let status = members.optional("status", word);
    let channel = members.optional("channel", text);
    let schema = members.optional("schema", text);
    let context = members.open_object("context", CONTEXT);
    let final_state = members.open_object("final_state", &[]);
    let metadata = members.open_object("metadata", METADATA);
    let extra = members.close_or_keep();
    let (participants, acts) = (participants?, acts?);
    together(&participants, &acts, &at, rules, found);
    Some(Conversation {
        id: id?,
        participants,
        acts,
        started_at,
        ended_at,
        status,
        channel,
        schema,
        context,
        final_state,
        metadata,
        extra,
    })
}

/// What must hold between the members.
fn together(participants: &[Participant], acts: &[Act], at: &At<'_>, rules: &Rules, found: &mut Findings) {
    let listed = at.member("participants");
    let mut known = HashSet::new();
    for (index, participant) in participants.iter().enumerate() {
        if !known.insert(participant.id.as_str()) {
            let message = "expected a name no other participant has";
            found.meaning(&listed.item(index).member("id"), code::DUPLICATE, message);
        }
    }
    let said = at.member("acts");
    let mut ids = HashSet::new();
    for (index, act) in acts.iter().enumerate() {
        if !ids.insert(&act.id) {
            let message = "expected a name no earlier act has";
            found.meaning(&said.item(index).member("id"), code::DUPLICATE, message);
        }
        if rules.unknown_speaker == UnknownSpeaker::Reject && !known.contains(act.speaker.as_str()) {
            let message = "expected a participant of this conversation";
            found.meaning(&said.item(index).member("speaker"), code::UNKNOWN_SPEAKER, message);
        }
    }
}
