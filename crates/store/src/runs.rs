//! Runs of flows and the definitions they pin. A run's journal is its stream; this row is what lists and filters.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// Begun, waiting for its turn.
    Queued,
    /// A step is being performed.
    Running,
    /// For a timer, an answer or an event.
    Waiting,
    /// By a person or because a step exhausted its attempts; goes on when told to.
    Paused,
    /// Undoing what it did.
    Compensating,
    /// Something could not be undone; a person has to look.
    Parked,
    /// Ended: everything done.
    Succeeded,
    /// Ended: could not be done, and nothing needed undoing.
    Failed,
    /// Ended: everything undone.
    Compensated,
    /// Ended by a person.
    Cancelled,
}

impl RunStatus {
    /// Every status.
    pub const ALL: [Self; 10] = [
        Self::Queued,
        Self::Running,
        Self::Waiting,
        Self::Paused,
        Self::Compensating,
        Self::Parked,
        Self::Succeeded,
        Self::Failed,
        Self::Compensated,
        Self::Cancelled,
    ];

    /// Whether nothing more will happen in this run.
    pub fn is_ended(self) -> bool {
        match self {
            Self::Succeeded | Self::Failed | Self::Compensated | Self::Cancelled => true,
            Self::Queued | Self::Running | Self::Waiting => false,
            Self::Paused | Self::Compensating | Self::Parked => false,
        }
    }

    /// The word kept on disk and shown to people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Paused => "paused",
            Self::Compensating => "compensating",
            Self::Parked => "parked",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Compensated => "compensated",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }
}

/// One run, as lists show it. Written whole each time; `position` is the store's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRow {
    /// `run_…`.
    pub id: String,
    /// On whose behalf.
    pub tenant: String,
    /// The flow's name.
    pub flow: String,
    /// Content hash of the pinned definition.
    pub hash: String,
    /// Runs of one line and key go one at a time, in order of `position`.
    pub key: Option<String>,
    /// The line in which it stands for its key: its flow, or a key space that flows share; in none when others need not
    /// wait for it.
    pub line: Option<String>,
    /// Where it stands.
    pub status: RunStatus,
    /// The conversation that caused it.
    pub conversation: Option<String>,
    /// The commit act that caused it.
    pub commit: Option<String>,
    /// When it was begun.
    pub started: Timestamp,
    /// When this row was last written.
    pub updated: Timestamp,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// What it waits for, as JSON the flow understands.
    pub blocked_on: Option<String>,
    /// Order of start. Given by the store at the first write and kept; ignored in a batch.
    pub position: u64,
}

/// Which runs to list, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunFilter {
    /// Only this tenant's.
    pub tenant: Option<String>,
    /// Only this flow's.
    pub flow: Option<String>,
    /// Only with this key.
    pub key: Option<String>,
    /// Only of this conversation.
    pub conversation: Option<String>,
    /// Only in one of these; empty means any.
    pub status: Vec<RunStatus>,
    /// Only those begun before this one's `position`; the last row of a page gives the next.
    pub before: Option<u64>,
    /// At most so many; 0 and more than the store's page limit mean the page limit.
    pub limit: usize,
}

/// A flow definition that runs pin by its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefinitionRow {
    /// Content hash of `source`.
    pub hash: String,
    /// The flow's name.
    pub name: String,
    /// Canonical JSON.
    pub source: Vec<u8>,
    /// When it was first seen.
    pub created: Timestamp,
}
