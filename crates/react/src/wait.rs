//! What runs wait to hear.

use serde::{Deserialize, Serialize};

use crate::Question;

/// A step of a run that waits for an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wait {
    /// The run.
    pub run: String,
    /// The step that waits.
    pub step: String,
    /// For what.
    pub want: Want,
    /// What is asked, and whom. A wait without is older than questions, or waits for an event: its step hears whatever
    /// fits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<Box<Question>>,
}

impl Wait {
    /// Whether it is a wait of this run, and of this step and question where they are named.
    pub(crate) fn is_of(&self, run: &str, step: Option<&str>, question: Option<&str>) -> bool {
        self.run == run
            && step.is_none_or(|step| step == self.step)
            && question.is_none_or(|id| self.asks(id))
    }

    /// Whether this is the wait of the question of this name.
    pub fn asks(&self, id: &str) -> bool {
        self.question.as_ref().is_some_and(|question| question.id == id)
    }
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
    /// The entity it is about; none of an event.
    pub fn entity(&self) -> Option<&str> {
        match self {
            Want::Fact { entity, .. } | Want::Confirm { entity } => entity.as_deref(),
            Want::Event { .. } => None,
        }
    }

    /// Whether it is about this entity, or about any.
    pub(crate) fn is_about(&self, id: &str) -> bool {
        self.entity().is_none_or(|wanted| wanted == id)
    }
}
