//! Who may answer a question.

use serde::{Deserialize, Serialize};

use crate::{Conversation, Question};

/// Who may answer a question. Every member that is given must hold; of a list one is enough. Without any, every
/// participant may.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct By {
    /// Roles.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub role: Vec<String>,
    /// Permissions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub permission: Vec<String>,
    /// Participants, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub participant: Vec<String>,
    /// Somebody else than the speaker of the commit (four eyes).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub not_committer: bool,
}

/// What is known of a speaker beyond the act: the door says it, the act cannot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// The roles of the caller's token, when the caller speaks in its own name.
    pub roles: Vec<String>,
    /// The permissions of the caller's token, when the caller speaks in its own name.
    pub permissions: Vec<String>,
    /// The caller may speak for others, so the role and permissions that the conversation has of the speaker count.
    pub vouches: bool,
    /// The speaker takes part in every conversation: the one caller of a server without authentication.
    pub everywhere: bool,
}

impl By {
    /// Whether nobody in particular is named.
    pub fn is_anybody(&self) -> bool {
        *self == Self::default()
    }

    /// Why this participant may not answer; `None` when it may.
    fn refuses(
        &self,
        question: &Question,
        talk: &Conversation,
        speaker: &str,
        standing: &Standing,
    ) -> Option<String> {
        let one_of = |wanted: &[String], has: &dyn Fn(&str) -> bool| {
            wanted.is_empty() || wanted.iter().any(|wanted| has(wanted))
        };
        let on_record =
            talk.participants.get(speaker).filter(|_| standing.vouches && talk.vouched.contains(speaker));
        let role = |wanted: &str| {
            standing.roles.iter().any(|role| role == wanted)
                || on_record.is_some_and(|record| record.role.as_deref() == Some(wanted))
        };
        let permission = |wanted: &str| {
            let recorded = on_record.and_then(|record| record.permissions.as_deref()).unwrap_or_default();
            standing.permissions.iter().chain(recorded).any(|permission| permission == wanted)
        };
        if self.not_committer && question.committer.as_deref() == Some(speaker) {
            return Some("somebody else than the speaker of the commit".to_owned());
        }
        if !one_of(&self.participant, &|wanted| wanted == speaker) {
            return Some(format!("participant {}", self.participant.join(" or ")));
        }
        if !one_of(&self.role, &role) {
            return Some(format!("somebody with the role {}", self.role.join(" or ")));
        }
        (!one_of(&self.permission, &permission))
            .then(|| format!("somebody with the permission {}", self.permission.join(" or ")))
    }
}

/// Why somebody may not answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Denied {
    /// Takes no part in the conversation.
    Stranger,
    /// Takes part and is not whom the flow names; what is expected instead.
    Other(String),
}

impl Question {
    /// Whether the speaker may answer.
    pub fn may_be_answered_by(&self, talk: &Conversation, speaker: &str, standing: &Standing) -> bool {
        self.denied(talk, speaker, standing).is_none()
    }

    pub(crate) fn denied(&self, talk: &Conversation, speaker: &str, standing: &Standing) -> Option<Denied> {
        if !talk.has(speaker, standing) {
            return Some(Denied::Stranger);
        }
        self.by.refuses(self, talk, speaker, standing).map(Denied::Other)
    }
}

impl Conversation {
    /// Whether the speaker takes part.
    pub fn has(&self, speaker: &str, standing: &Standing) -> bool {
        standing.everywhere || self.participants.contains_key(speaker)
    }
}
