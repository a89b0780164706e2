//! How a run speaks into its conversation. The gate implements it; the engine knows no conversation.

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use serde_json::Value;
use store::{Batch, Error, Receipt};

use crate::{Lineage, Outcome, QuestionEnd};

/// Says something in a conversation, in one commit with what the run writes.
pub trait Voice: Send + Sync + 'static {
    /// Decides what the conversation makes of it, merges that with `batch`, and commits once.
    ///
    /// # Errors
    /// The store's, with nothing written.
    fn say<'a>(&'a self, said: Said, batch: Batch) -> BoxFuture<'a, Result<Receipt, Error>>;

    /// Whether somebody may answer what is asked in a conversation: it is known, and not over.
    ///
    /// # Errors
    /// The store's.
    fn is_heard<'a>(&'a self, tenant: &'a str, conversation: &'a str) -> BoxFuture<'a, Result<bool, Error>>;
}

/// What a run says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Said {
    /// On whose behalf.
    pub tenant: String,
    /// Where.
    pub conversation: String,
    /// The commit act that the run answers.
    pub commit: Option<String>,
    /// The run that speaks.
    pub run: String,
    /// One id for everything that one request set in motion.
    pub correlation: String,
    /// The trace of that request as a `traceparent`.
    pub trace: Option<String>,
    /// Where the runs stand that its commits begin.
    pub lineage: Option<Lineage>,
    /// What the run waits for no more; told before anything else.
    pub closes: Vec<Close>,
    /// Acts to append, in order.
    pub acts: Vec<Told>,
    /// Answers that the run now waits for.
    pub waits: Vec<Wait>,
    /// How far the commit has come, when that has changed.
    pub outcome: Option<Outcome>,
}

/// One act to append. The voice gives it its speaker (the flow), its id and its time.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// The same on every attempt: `{run}/{step}`. The act's id comes from it.
    pub id: String,
    /// `type` and the members of that type, as in the data model.
    pub body: Value,
}

/// An answer that a run waits for. It is given with [`crate::Engine::answer`].
#[derive(Clone, Debug, PartialEq)]
pub struct Wait {
    /// The run.
    pub run: String,
    /// The step that waits.
    pub step: String,
    /// For what.
    pub want: Want,
    /// What is asked, and whom.
    pub question: Question,
}

/// What a run asks.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// Its name: the same whenever this asking of this step is written, never given twice.
    pub id: String,
    /// The words.
    pub text: String,
    /// What is shown beside the words.
    pub shows: Value,
    /// Who may answer.
    pub by: By,
    /// The speaker of the commit that the run is for.
    pub committer: Option<String>,
    /// When it can no longer be answered.
    pub expires: Option<Timestamp>,
}

/// Who may answer. Every member that is given must hold; of a list one is enough.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct By {
    /// Roles.
    pub role: Vec<String>,
    /// Permissions.
    pub permission: Vec<String>,
    /// Participants, by name.
    pub participant: Vec<String>,
    /// Somebody else than the speaker of the commit.
    pub not_committer: bool,
}

/// What a run waits for no more.
#[derive(Clone, Debug, PartialEq)]
pub struct Close {
    /// The step; every step of the run without.
    pub step: Option<String>,
    /// How its question ended.
    pub how: QuestionEnd,
}

/// What answers.
#[derive(Clone, Debug, PartialEq)]
pub enum Want {
    /// A fact about this field; the signal's payload is its value.
    Fact {
        /// The entity's id; any entity without.
        entity: Option<String>,
        /// The field.
        field: String,
    },
    /// A confirm act with an answer; the payload is `{"confirmed": bool, "reason": text}`.
    Confirm {
        /// The entity's id; any entity without.
        entity: Option<String>,
    },
}

impl Said {
    pub(crate) fn is_empty(&self) -> bool {
        self.closes.is_empty() && self.acts.is_empty() && self.waits.is_empty() && self.outcome.is_none()
    }
}
