//! The outbox: what to do in the world once the batch is committed.
//!
//! Rows wait in lanes, one for each system, so that a slow system delays nobody else. Within one lane and key, rows take
//! their turn in the order in which they were put: the next one when the one before it is done, or dead and passed over.

use jiff::Timestamp;

/// Adds, postpones or completes work with a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutboxOp {
    /// Adds a row at the end of its key; one with the same id is left as it is, unless it is dead: that one is replaced.
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
        /// What keeps it in, as a word: a guard, or `blocked` for a fault of ours.
        blocked: Option<String>,
        /// Whether it, or one before, may have landed.
        perhaps: bool,
        /// Until when it may still land, when it may.
        settles: Option<Timestamp>,
    },
    /// Puts it off without an attempt.
    Postpone {
        /// The row's id.
        id: String,
        /// When to look again.
        due: Timestamp,
        /// What keeps it in, as a word.
        blocked: String,
    },
    /// Says that it may land from now on. Refused with [`crate::Error::Gone`] when it is not there any more.
    Begin {
        /// The row's id.
        id: String,
        /// Until when it may land.
        settles: Timestamp,
        /// Its payload from now on, when that changes.
        payload: Option<Vec<u8>>,
    },
    /// Takes back what was certainly not sent. Refused with [`crate::Error::Gone`] when it is not there any more, or may
    /// have been sent.
    Withdraw {
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
    /// Lets everything be tried now that waits for a time after this one: no row is put off for so long.
    Recall {
        /// The latest time that a row may wait for.
        after: Timestamp,
        /// Only what is kept in by this.
        blocked: Option<String>,
        /// The present.
        now: Timestamp,
    },
    /// Tries no more: a dead letter says why. The row keeps its place until somebody decides.
    Bury {
        /// The row's id.
        id: String,
        /// Whether those after it wait for that decision.
        holds: bool,
        /// Whether it may have landed.
        perhaps: bool,
    },
    /// Lets a dead row be tried again, at its place. Refused with [`crate::Error::Gone`] when it is not there or not dead.
    Revive {
        /// The row's id.
        id: String,
        /// Its payload from now on.
        payload: Vec<u8>,
        /// Whether it is still open if an earlier delivery landed; then it settles when it would have.
        perhaps: bool,
        /// The present.
        now: Timestamp,
    },
    /// Removes it if it is dead: it need not be done, and those after it go on.
    Discard {
        /// The row's id.
        id: String,
    },
    /// Removes it: done, or not to be done. The next one of its key takes its turn.
    Done {
        /// The row's id.
        id: String,
    },
}

impl OutboxOp {
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Put(row) => row.payload.len() + row.id.len() + row.key.len() + 160,
            Self::Retry { cause, .. } => cause.len() + 64,
            Self::Revive { payload, .. } => payload.len() + 64,
            Self::Begin { payload, .. } => payload.as_ref().map_or(0, Vec::len) + 64,
            Self::Hurry { .. } | Self::Done { .. } | Self::Recall { .. } => 64,
            Self::Postpone { .. } | Self::Withdraw { .. } | Self::Bury { .. } | Self::Discard { .. } => 64,
        }
    }
}

/// One piece of work.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutboxRow {
    /// Unique in the store; the idempotency key of the effect comes from it.
    pub id: String,
    /// What kind of work (`webhook`, `publish`).
    pub kind: String,
    /// The queue that it waits in: the system that it goes to.
    pub lane: String,
    /// Rows of one lane and key go one at a time, in the order in which they were put. Its id when it is empty.
    pub key: String,
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
    /// What kept the last one in, as a word, when something did.
    pub blocked: Option<String>,
    /// Whether a delivery may have landed, of which nobody has written the end.
    pub perhaps: bool,
    /// Until when that delivery may still land.
    pub settles: Option<Timestamp>,
    /// Where it stands among those of its key. Given by the store; ignored in a batch.
    pub stage: OutboxStage,
}

/// Where a row stands among those of its lane and key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OutboxStage {
    /// An earlier row comes first.
    #[default]
    Behind,
    /// It is its turn, when it is due.
    Ready,
    /// Dead; those after it wait until somebody decides.
    Dead,
    /// Dead; those after it go on.
    Passed,
}

impl OutboxStage {
    pub(crate) fn parse(number: i64) -> Option<Self> {
        [Self::Behind, Self::Ready, Self::Dead, Self::Passed]
            .into_iter()
            .find(|stage| *stage as i64 == number)
    }
}

/// A row whose turn it is, as far as one need know to decide about its delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxHead {
    /// The row's id.
    pub id: String,
    /// No other row of its lane has this key and its turn.
    pub key: String,
    /// Where to.
    pub target: String,
    /// On whose behalf.
    pub tenant: String,
    /// When to try it.
    pub due: Timestamp,
}

/// A lane in which something has its turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxLane {
    /// Its name.
    pub lane: String,
    /// When the first of its rows is due.
    pub due: Timestamp,
}

/// How much waits in a lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxBacklog {
    /// Its name.
    pub lane: String,
    /// Rows that are not done, up to 10,000; those that are dead and hold their key among them.
    pub rows: u64,
}

/// Which rows to list, the oldest first; those that are dead and passed over are not.
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
