//! What is remembered of questions that are closed, so that a late answer is told what it is.

use serde::{Deserialize, Serialize};

use super::Closing;
use crate::{Conversation, Wait, Want};

/// How many closed questions a conversation remembers; the oldest are forgotten first.
const REMEMBERED: usize = 32;
/// How much of a question's words is remembered, in characters.
const WORDS: usize = 120;

/// A question that is closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Past {
    /// Its name.
    pub id: String,
    /// The entity it was about.
    pub entity: Option<String>,
    /// The field it asked for; `None` of a confirmation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The beginning of its words.
    pub text: String,
    /// How it ended.
    pub how: Closing,
}

impl Past {
    /// Whether these are its words, as far as they are remembered.
    pub(crate) fn reads(&self, text: &str) -> bool {
        self.text == beginning(text)
    }
}

impl Conversation {
    /// Remembers how the questions of these waits ended.
    pub(crate) fn remember(&mut self, gone: Vec<Wait>, how: Closing) {
        for wait in gone {
            let Some(question) = wait.question else { continue };
            let (entity, field) = match wait.want {
                Want::Fact { entity, field } => (entity, Some(field)),
                Want::Confirm { entity } => (entity, None),
                Want::Event { .. } => continue,
            };
            self.past.push(Past { id: question.id, entity, field, text: beginning(&question.text), how });
        }
        let forgotten = self.past.len().saturating_sub(REMEMBERED);
        self.past.drain(..forgotten);
    }

    /// The closed question of this name.
    pub fn past(&self, id: &str) -> Option<&Past> {
        self.past.iter().rev().find(|past| past.id == id)
    }
}

fn beginning(text: &str) -> String {
    text.trim().chars().take(WORDS).collect()
}
