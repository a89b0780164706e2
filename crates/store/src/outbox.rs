//! The outbox: what to do in the world once the batch is committed.

use jiff::Timestamp;

/// Adds, postpones or completes work with a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutboxOp {
    /// Adds a row; one with the same id is left as it is.
    Put(OutboxRow),
    /// Postpones it after an attempt that did not do it.
    Retry {
        /// The row's id.
        id: String,
        /// When to try again.
        due: Timestamp,
        /// How many attempts were made by now.
        attempts: u32,
        /// How often the call was sent by now, retries of the guard included.
        sent: u32,
        /// Why it did not work.
        cause: String,
        /// Which guard kept the call in, as a word, when one did.
        blocked: Option<String>,
        /// Whether it, or one before, may have landed.
        perhaps: bool,
    },
    /// Says that it may land from now on. Refused with [`crate::Error::Gone`] when it is not there any more.
    Begin {
        /// The row's id.
        id: String,
    },
    /// Lets it be tried now, when it waits for a later time. What is being tried already is left alone.
    Hurry {
        /// The row's id.
        id: String,
        /// The present.
        now: Timestamp,
    },
    /// Removes it: done, or moved to the dead letters in the same batch.
    Done {
        /// The row's id.
        id: String,
    },
}

impl OutboxOp {
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Put(row) => row.payload.len() + row.id.len() + 160,
            Self::Retry { cause, .. } => cause.len() + 64,
            Self::Begin { .. } | Self::Hurry { .. } | Self::Done { .. } => 64,
        }
    }
}

/// One piece of work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxRow {
    /// Unique in the store; the idempotency key of the effect comes from it.
    pub id: String,
    /// What kind of work (`webhook`, `publish`).
    pub kind: String,
    /// Where to (`system.operation`, a topic, an endpoint's name).
    pub target: String,
    /// JSON.
    pub payload: Vec<u8>,
    /// On whose behalf.
    pub tenant: String,
    /// One id for everything that one request set in motion.
    pub correlation: String,
    /// When it was put there.
    pub created: Timestamp,
    /// When to try next.
    pub due: Timestamp,
    /// Attempts made so far.
    pub attempts: u32,
    /// How often the call was sent so far, retries of the guard included.
    pub sent: u32,
    /// Why the last one did not work.
    pub cause: Option<String>,
    /// Which guard kept the last one in, as a word, when one did.
    pub blocked: Option<String>,
    /// Whether a delivery may have landed, of which nobody has written the end.
    pub perhaps: bool,
}

/// Which rows to list, the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutboxFilter {
    /// Only this tenant's.
    pub tenant: Option<String>,
    /// Only what goes to this system.
    pub system: Option<String>,
    /// Only what comes after this row: when it was put there, and its id.
    pub after: Option<(Timestamp, String)>,
    /// At most this many; 0 for as many as a page holds.
    pub limit: usize,
}
