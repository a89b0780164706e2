//! A conversation as a document: who takes part, and what was said.

use serde::Serialize;

use crate::{Act, ConversationId, ConversationStatus, Map, Participant, Time};

/// A conversation: who takes part, and what was said.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Conversation {
    /// Its name.
    pub id: ConversationId,
    /// Who takes part; at least one.
    pub participants: Vec<Participant>,
    /// What was said, in order; names are unique.
    pub acts: Vec<Act>,
    /// When it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Time>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Time>,
    /// How far it has come.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<ConversationStatus>,
    /// Over what it is held: `voice`, `chat`; any text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// The schema its entities follow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// Open, with `session_id`, `user_agent`, `ip_address` and `referrer` checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<Map>,
    /// What came of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub final_state: Option<Map>,
    /// Open, with the counts of [`Conversation::refresh`] checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map>,
    /// Members the model does not know, kept in compat mode; always empty in strict mode.
    #[serde(flatten)]
    pub extra: Map,
}
