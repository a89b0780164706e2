//! Who asks something of the conversations. Doors find out who it is, and what it may do.

use std::sync::Arc;

use port::TraceContext;
use react::{Conversation, Standing};

use crate::{Code, Error, Motion};

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The caller's name, in which it speaks.
    pub subject: Arc<str>,
    /// The organisation that it belongs to.
    pub tenant: Arc<str>,
    /// Its roles; flows may name them.
    pub roles: Arc<[String]>,
    /// Its permissions, the words of other systems included: flows may name them.
    pub grants: Arc<[String]>,
    /// Whether anybody is asked who they are. Without, the caller takes part everywhere.
    pub known: bool,
    /// What it may do beside taking part.
    pub rights: Rights,
}

/// What a caller may do beside taking part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rights {
    /// Say acts in another's name.
    pub speaks_for_others: bool,
    /// See the questions of every conversation.
    pub sees_questions: bool,
    /// End every conversation.
    pub ends_conversations: bool,
}

/// What an act is asked with: by whom, as part of what, and who plans what it sets in motion.
#[derive(Clone)]
pub struct Request<'a> {
    /// Who asks.
    pub caller: Caller,
    /// One id for everything that it sets in motion.
    pub correlation: Arc<str>,
    /// The trace that what it sets in motion continues.
    pub trace: TraceContext,
    /// Plans what it sets in motion.
    pub motion: &'a dyn Motion,
}

impl Caller {
    /// Whether what belongs to an organisation is this caller's.
    pub(crate) fn belongs_to(&self, tenant: &str) -> Result<(), Error> {
        if *self.tenant == *tenant { Ok(()) } else { Err(Error::new(Code::ConversationDenied)) }
    }

    /// What is known of a speaker that this caller speaks as. Roles and permissions are the caller's own.
    pub(crate) fn standing(&self, speaker: &str) -> Standing {
        let own = *speaker == *self.subject;
        let words = |words: &[String]| if own { words.to_vec() } else { Vec::new() };
        Standing {
            roles: words(&self.roles),
            permissions: words(&self.grants),
            vouches: self.rights.speaks_for_others,
            everywhere: own && !self.known,
        }
    }

    /// Whether the caller may end a conversation: who takes part, who speaks for those who do, or who may end any.
    pub(crate) fn may_end(&self, talk: &Conversation) -> bool {
        let takes_part = !self.known || talk.participants.contains_key(&*self.subject);
        takes_part || self.rights.speaks_for_others || self.rights.ends_conversations
    }

    /// Whether an act may name this speaker: nobody speaks in another's name.
    pub(crate) fn may_speak_as(&self, speaker: &str) -> bool {
        *speaker == *self.subject || self.rights.speaks_for_others
    }

    /// Whether the caller sees the questions of a conversation: who takes part, who speaks for those who do, operators.
    pub(crate) fn sees(&self, talk: &Conversation) -> bool {
        self.rights.sees_questions
            || self.rights.speaks_for_others
            || talk.has(&self.subject, &self.standing(&self.subject))
    }
}
