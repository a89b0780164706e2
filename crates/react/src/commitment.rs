//! Commits that runs are at work on.

use std::collections::BTreeMap;

use act::{Action, CommitStatus, EntityRef};
use serde::{Deserialize, Serialize};

/// A commit that runs are at work on, or have failed at. Forgotten once it has succeeded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Commitment {
    /// With what.
    pub entity: EntityRef,
    /// What is to be done.
    pub action: Action,
    /// By which system.
    pub system: Option<String>,
    /// How far it has come.
    pub status: CommitStatus,
    /// How many runs were started for it.
    pub runs: usize,
    /// The runs that ended, and whether well.
    pub ended: BTreeMap<String, bool>,
    /// How often it was tried again.
    pub retries: u64,
    /// How many acts have told its state; the next one takes its name from this.
    pub told: u64,
}

impl Commitment {
    /// Whether every run has ended well, counting `run` as one of them.
    pub(crate) fn is_done_with(&self, run: &str) -> bool {
        let others = self.ended.iter().filter(|(name, well)| **well && *name != run).count();
        others + 1 >= self.runs
    }
}
