//! How a run speaks into its conversation.

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use react::{By, Change, Closing, Want};
use serde_json::Value;
use store::{Batch, Error, Receipt};

use crate::Motion;

/// Says something in a conversation, in one commit with what the run writes.
pub trait ConversationPort: Send + Sync + 'static {
    /// Decides what the conversation makes of it, merges that with `batch`, and commits once. What its acts set in motion
    /// is planned by `motion`.
    ///
    /// # Errors
    /// The store's, with nothing written.
    fn say<'a>(
        &'a self,
        outgoing: Outgoing,
        batch: Batch,
        motion: &'a dyn Motion,
    ) -> BoxFuture<'a, Result<Receipt, Error>>;

    /// Why an act would not be taken, as far as that is known before it is said. An act of the same id that was said
    /// before is taken: it is answered as then.
    ///
    /// # Errors
    /// The store's.
    fn may_say<'a>(
        &'a self,
        outgoing: Outgoing,
        motion: &'a dyn Motion,
    ) -> BoxFuture<'a, Result<Option<NotSaid>, Error>>;

    /// Whether somebody may answer what is asked in a conversation: it is known, and not over.
    ///
    /// # Errors
    /// The store's.
    fn is_open<'a>(&'a self, tenant: &'a str, conversation: &'a str) -> BoxFuture<'a, Result<bool, Error>>;
}

/// Why an act is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotSaid {
    /// A stable word for machines.
    pub code: String,
    /// A sentence for people.
    pub message: String,
}

/// What a run says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outgoing {
    /// The organisation for which it runs.
    pub tenant: String,
    /// The conversation.
    pub conversation: String,
    /// The commit act that the run answers.
    pub commit: Option<String>,
    /// The run that speaks.
    pub run: String,
    /// In whose name it speaks: the flow's.
    pub speaker: String,
    /// One id for everything that one request set in motion.
    pub correlation: String,
    /// The trace of that request as a `traceparent`.
    pub trace: Option<String>,
    /// What the run waits for no more; said before anything else.
    pub closes: Vec<OutgoingClose>,
    /// Acts to append, in order.
    pub acts: Vec<OutgoingAct>,
    /// Answers that the run now waits for.
    pub waits: Vec<OutgoingWait>,
    /// How far the commit has come, when that has changed.
    pub change: Option<Change>,
}

impl Outgoing {
    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        self.closes.is_empty() && self.acts.is_empty() && self.waits.is_empty() && self.change.is_none()
    }
}

/// An act to append. It is given its speaker, its id and its time.
#[derive(Clone, Debug, PartialEq)]
pub struct OutgoingAct {
    /// The same on every attempt: `{run}/{step}`. The act's id comes from it.
    pub id: String,
    /// `type` and the members of that type, as in the data model.
    pub body: Value,
}

/// An answer that a run waits for. It hears it by [`crate::Plan::tell`].
#[derive(Clone, Debug, PartialEq)]
pub struct OutgoingWait {
    /// The run.
    pub run: String,
    /// The step that waits.
    pub step: String,
    /// What answers.
    pub want: Want,
    /// What is asked, and whom.
    pub question: OutgoingQuestion,
}

/// What a run asks.
#[derive(Clone, Debug, PartialEq)]
pub struct OutgoingQuestion {
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

/// What a run waits for no more.
#[derive(Clone, Debug, PartialEq)]
pub struct OutgoingClose {
    /// The step; every step of the run without.
    pub step: Option<String>,
    /// How its question ended.
    pub how: Closing,
}
