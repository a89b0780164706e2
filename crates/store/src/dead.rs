//! Dead letters: what exhausted its attempts, kept with all that is needed to look at it and try again.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Adds, edits or resolves a dead letter with a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "a batch holds few of them, and most are letters")]
pub enum DeadOp {
    /// Adds a letter, or writes it again: a replay that failed comes back open under the same id.
    Put(DeadLetter),
    /// Changes the input of an open letter. Refused with [`crate::Error::NotOpen`] otherwise.
    Edit {
        /// The letter's id.
        id: String,
        /// The new input, as JSON.
        input: Vec<u8>,
    },
    /// Ends an open letter. Refused with [`crate::Error::NotOpen`] otherwise, so that of two people who replay it
    /// at once one does.
    Resolve {
        /// The letter's id.
        id: String,
        /// `Replayed` or `Discarded`; `Open` reopens a resolved letter and is always allowed.
        how: DeadState,
        /// When.
        at: Timestamp,
    },
    /// Ends a letter if it is open; otherwise, and when there is none, nothing happens.
    Settle {
        /// The letter's id.
        id: String,
        /// `Replayed` or `Discarded`.
        how: DeadState,
        /// When.
        at: Timestamp,
    },
}

impl DeadOp {
    /// Which letter has to be open for it: of two people who decide about one at once, one does.
    pub(crate) fn needs_open(&self) -> Option<&str> {
        match self {
            Self::Resolve { how: DeadState::Open, .. } | Self::Put(_) | Self::Settle { .. } => None,
            Self::Edit { id, .. } | Self::Resolve { id, .. } => Some(id),
        }
    }

    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Put(letter) => letter.input.len() + letter.message.len() + 160 * (2 + letter.history.len()),
            Self::Edit { input, .. } => input.len() + 64,
            Self::Resolve { .. } | Self::Settle { .. } => 64,
        }
    }
}

/// One dead letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// Unique in the store.
    pub id: String,
    /// On whose behalf.
    pub tenant: String,
    /// Where it comes from: `run/step` or an outbox row.
    pub source: String,
    /// The system that would not.
    pub system: String,
    /// The operation that did not work.
    pub operation: String,
    /// Code of the last cause.
    pub code: String,
    /// Message of the last cause; holds no secret.
    pub message: String,
    /// Each call, oldest first.
    pub history: Vec<Tried>,
    /// The original (or edited) input, as JSON.
    pub input: Vec<u8>,
    /// The idempotency key; a replay uses the same.
    pub key: Option<String>,
    /// One id for everything that one request set in motion.
    pub correlation: String,
    /// The first attempt.
    pub first: Timestamp,
    /// The last attempt.
    pub last: Timestamp,
    /// Whether somebody still has to look.
    pub state: DeadState,
    /// When it was resolved.
    pub resolved: Option<Timestamp>,
}

impl DeadLetter {
    /// The id of the one letter about a source (a step of a run, a row of the outbox), however often that dies.
    pub fn id_of(source: &str) -> String {
        format!("dead_{:032x}", xxhash_rust::xxh3::xxh3_128(source.as_bytes()))
    }
}

/// One call that did not work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tried {
    /// When.
    pub at: Timestamp,
    /// What kind of fault.
    pub code: String,
    /// In words; holds no secret.
    pub message: String,
    /// How often it was sent, retries included; 0 when nothing left the house.
    #[serde(default = "once")]
    pub attempts: u32,
}

/// Of calls that were written down before sendings were counted.
fn once() -> u32 {
    1
}

/// What became of a dead letter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeadState {
    /// Nothing yet.
    #[default]
    Open,
    /// It was tried again.
    Replayed,
    /// Somebody decided it need not be done.
    Discarded,
}

impl DeadState {
    /// The word kept on disk and shown to people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Replayed => "replayed",
            Self::Discarded => "discarded",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Open, Self::Replayed, Self::Discarded].into_iter().find(|state| state.as_str() == word)
    }
}

/// Which dead letters to list, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeadFilter {
    /// Only this tenant's.
    pub tenant: Option<String>,
    /// Only of this system.
    pub system: Option<String>,
    /// Only from this source or below it (`run_1` finds `run_1/charge`).
    pub source: Option<String>,
    /// Only in this state.
    pub state: Option<DeadState>,
    /// Letters to pass over, for paging.
    pub skip: usize,
    /// At most so many; 0 and more than the store's page limit mean the page limit.
    pub limit: usize,
}
