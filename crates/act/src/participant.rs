//! Who takes part in a conversation.

use serde::Serialize;

use crate::{Map, ParticipantType};

/// Someone, or something, that speaks in a conversation. Closed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Participant {
    /// The name by which acts name their speaker.
    pub id: String,
    /// What it is.
    #[serde(rename = "type")]
    pub type_: ParticipantType,
    /// Its part in the conversation: `customer`, `clerk`; any text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// What it is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where to write to: an e-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Where to call; any text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Its name in `system`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// The system that knows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// What it can do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capabilities: Option<Vec<String>>,
    /// What it may do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permissions: Option<Vec<String>>,
    /// How it likes to be spoken to; open, with `language`, `timezone` and `communication_channels` checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preferences: Option<Map>,
    /// Anything else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map>,
}

impl Participant {
    /// Someone of whom nothing but the name and the kind is known.
    pub fn new(id: impl Into<String>, type_: ParticipantType) -> Self {
        Self {
            id: id.into(),
            type_,
            role: None,
            name: None,
            email: None,
            phone: None,
            external_id: None,
            system: None,
            capabilities: None,
            permissions: None,
            preferences: None,
            metadata: None,
        }
    }
}
