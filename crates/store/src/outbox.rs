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
            Self::Done { .. } => 64,
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
    /// When to try next.
    pub due: Timestamp,
    /// Attempts made so far.
    pub attempts: u32,
    /// How often the call was sent so far, retries of the guard included.
    pub sent: u32,
    /// Why the last one did not work.
    pub cause: Option<String>,
}
