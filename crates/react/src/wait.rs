//! What runs wait to hear.

use act::{Act, Body};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A step of a run that waits for an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wait {
    /// The run.
    pub run: String,
    /// The step that waits.
    pub step: String,
    /// For what.
    pub want: Want,
}

/// What answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Want {
    /// A fact that changed this field; the answer is the field's value.
    Fact {
        /// The entity; any entity without.
        entity: Option<String>,
        /// The field.
        field: String,
    },
    /// A confirm act that says yes or no; the answer is `{confirmed, reason}`.
    Confirm {
        /// The entity; any entity without.
        entity: Option<String>,
    },
    /// Something published on this topic by an act of this conversation; the answer is its payload.
    Event {
        /// The topic.
        topic: String,
    },
}

impl Want {
    /// The answer in a confirm act.
    pub(crate) fn confirmation(&self, act: &Act) -> Option<Value> {
        let (Want::Confirm { entity }, Body::Confirm(confirm)) = (self, &act.body) else { return None };
        let confirmed = confirm.confirmed?;
        matches_entity(entity.as_deref(), confirm.entity.id())
            .then(|| json!({ "confirmed": confirmed, "reason": confirm.rejection_reason }))
    }

    /// Whether a change of this field is the answer.
    pub(crate) fn is_field(&self, id: &str, changed: &str) -> bool {
        match self {
            Want::Fact { entity, field } => field == changed && matches_entity(entity.as_deref(), id),
            Want::Confirm { .. } | Want::Event { .. } => false,
        }
    }

    /// Whether what is published on this topic is the answer.
    pub(crate) fn is_topic(&self, published: &str) -> bool {
        matches!(self, Want::Event { topic } if topic == published)
    }
}

fn matches_entity(wanted: Option<&str>, id: &str) -> bool {
    wanted.is_none_or(|wanted| wanted == id)
}
