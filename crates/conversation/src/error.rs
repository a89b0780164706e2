//! Why something was not done in a conversation.

use std::fmt;

use act::Issue;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $word:literal;)+) => {
        /// Why something was refused. The word is stable.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[$doc])* $name,)+ }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Code] = &[$(Code::$name),+];

            /// The stable word.
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$name => $word),+ }
            }
        }
    };
}

codes! {
    /// The act's id was used for another act.
    ActIdReused = "act.id_reused";
    /// The act is sound and the conversation's state does not allow it.
    ActRefused = "act.refused";
    /// `metadata.conversation_id` names another conversation.
    ActConversation = "act.conversation_mismatch";
    /// The act's speaker is not the caller.
    ActSpeaker = "act.speaker_mismatch";
    /// The commit's `idempotency_key` was used for another commit.
    CommitKeyReused = "commit.key_reused";
    /// The commit's `idempotency_key` names a commit of which nothing more is kept.
    CommitKeyExpired = "commit.key_expired";
    /// The organisation has as many commit keys as it may have.
    CommitKeysFull = "commit.keys_full";
    /// `metadata.cardan.new_try` is said of what did not come to nothing.
    CommitNewTry = "commit.new_try";
    /// The flow that the commit begins runs once ever per key, and has a run of this one.
    CommitOnce = "commit.once";
    /// The acts become a batch that is larger than one may be.
    BatchTooLarge = "body.too_large";
    /// The conversation is not the caller's.
    ConversationDenied = "auth.conversation";
    /// No such conversation.
    ConversationUnknown = "conversation.unknown";
    /// The conversation's id is taken.
    ConversationExists = "conversation.exists";
    /// The conversation has ended.
    ConversationEnded = "conversation.ended";
    /// Too many acts of this conversation at once.
    Contended = "conversation.contended";
    /// No such entity in this conversation.
    EntityUnknown = "entity.unknown";
    /// The question is not the speaker's to answer.
    QuestionDenied = "question.denied";
    /// No such question.
    QuestionUnknown = "question.unknown";
    /// The question is not open any more.
    QuestionClosed = "question.closed";
    /// The version asked for is beyond the end of the conversation.
    PositionAhead = "position.ahead";
}

/// A refusal: nothing has changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    /// Which one.
    pub code: Code,
    /// What was wrong this time; never a secret, never a whole input.
    pub detail: Option<String>,
    /// What is wrong in the document, each with a pointer to the member at fault.
    pub issues: Vec<Issue>,
}

impl Refusal {
    /// One that its code explains.
    pub fn new(code: Code) -> Self {
        Self { code, detail: None, issues: Vec::new() }
    }

    /// One that says what was wrong this time.
    pub fn because(code: Code, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..Self::new(code) }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.detail.as_deref().unwrap_or(self.code.as_str()))
    }
}

/// Why something was not done in a conversation.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// It may not be done, or not now.
    #[error("{0}")]
    Refused(Refusal),
    /// The store would not.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// A defect on our side; its cause is in the log.
    #[error("internal error, its cause is in the log")]
    Internal,
}

impl Error {
    /// A refusal that its code explains.
    pub fn new(code: Code) -> Self {
        Refusal::new(code).into()
    }

    /// A refusal that says what was wrong this time.
    pub fn because(code: Code, detail: impl Into<String>) -> Self {
        Refusal::because(code, detail).into()
    }

    /// The code, when it is a refusal.
    pub fn code(&self) -> Option<Code> {
        match self {
            Self::Refused(refusal) => Some(refusal.code),
            Self::Store(_) | Self::Internal => None,
        }
    }
}

impl Error {
    /// Whether it would have been taken with fewer acts at once.
    pub(crate) fn is_too_large(&self) -> bool {
        matches!(self, Self::Store(store::Error::TooLarge { .. })) || self.code() == Some(Code::BatchTooLarge)
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}
