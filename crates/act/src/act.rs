//! One utterance.

use serde::{Serialize, Serializer};
use serde_json::{Number, Value};

use crate::{ActId, Body, Kind, Map, Source, Time};

/// One utterance: who said what, when, and how sure they are.
#[derive(Clone, Debug, PartialEq)]
pub struct Act {
    /// Its name.
    pub id: ActId,
    /// When it was said, as the speaker's clock had it.
    pub timestamp: Time,
    /// Who said it: a participant's name.
    pub speaker: String,
    /// How sure the speaker is: 0 to 1.
    pub confidence: Option<Number>,
    /// Where it came from.
    pub source: Option<Source>,
    /// Anything else; open, with `channel`, `language`, `original_text` and `processing_time_ms` checked.
    pub metadata: Option<Map>,
    /// What it says.
    pub body: Body,
    /// Members the model does not know, kept in compat mode; always empty in strict mode.
    pub extra: Map,
}

impl Act {
    /// The act's `type` as it is written.
    pub fn type_name(&self) -> &str {
        self.body.type_name()
    }

    /// A member of `metadata`.
    pub fn meta(&self, name: &str) -> Option<&Value> {
        self.metadata.as_ref()?.get(name)
    }

    /// How sure the speaker is, when it says so.
    pub fn certainty(&self) -> Option<f64> {
        self.confidence.as_ref()?.as_f64()
    }

    /// Whether it wants to know something.
    pub fn is_ask(&self) -> bool {
        self.body.kind() == Some(Kind::Ask)
    }

    /// Whether it says something about a field.
    pub fn is_fact(&self) -> bool {
        self.body.kind() == Some(Kind::Fact)
    }

    /// Whether it wants or gives a confirmation.
    pub fn is_confirm(&self) -> bool {
        self.body.kind() == Some(Kind::Confirm)
    }

    /// Whether it wants something done.
    pub fn is_commit(&self) -> bool {
        self.body.kind() == Some(Kind::Commit)
    }

    /// Whether it says that something went wrong.
    pub fn is_error(&self) -> bool {
        self.body.kind() == Some(Kind::Error)
    }

    /// Whether it is of a type this deployment has added.
    pub fn is_custom(&self) -> bool {
        self.body.kind().is_none()
    }

    /// The act as JSON: what was read, no default added.
    pub fn to_value(&self) -> Value {
        serde_json::to_value(self).unwrap_or(Value::Null)
    }
}

#[derive(Serialize)]
struct Wire<'a> {
    id: &'a ActId,
    timestamp: &'a Time,
    speaker: &'a str,
    #[serde(rename = "type")]
    type_: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    confidence: Option<&'a Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<Source>,
    #[serde(flatten)]
    body: &'a Body,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<&'a Map>,
    #[serde(flatten)]
    extra: &'a Map,
}

impl Serialize for Act {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let wire = Wire {
            id: &self.id,
            timestamp: &self.timestamp,
            speaker: &self.speaker,
            type_: self.type_name(),
            confidence: self.confidence.as_ref(),
            source: self.source,
            body: &self.body,
            metadata: self.metadata.as_ref(),
            extra: &self.extra,
        };
        wire.serialize(serializer)
    }
}
