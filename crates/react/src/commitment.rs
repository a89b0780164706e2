//! Commits that runs are at work on.

use std::collections::{BTreeMap, BTreeSet};

use act::{Action, Body, Commit, CommitStatus, EntityRef, Map};
use serde::{Deserialize, Serialize};

use crate::{ActProcessed, ActStatus, Event};

/// A commit that runs are at work on. Forgotten once all of them have ended, however they did.
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
    /// The runs of which nobody knows whether what they asked for has landed.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub unknown: BTreeSet<String>,
    /// What was told of the undoing of runs that failed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub rollbacks: BTreeMap<String, Map>,
}

impl Commitment {
    /// The commitment that a commit act begins when it is taken by flows.
    pub(crate) fn begun(commit: &Commit, runs: usize) -> Self {
        Self {
            entity: commit.entity.clone(),
            action: commit.action,
            system: commit.system.clone(),
            status: CommitStatus::Pending,
            runs,
            ended: BTreeMap::new(),
            retries: 0,
            told: 0,
            unknown: BTreeSet::new(),
            rollbacks: BTreeMap::new(),
        }
    }

    /// What is known of a commit after an event of its conversation, also when the conversation has forgotten it: fold
    /// all of its events, from `None`, to remember it.
    pub fn remember(known: Option<Self>, commit: &str, event: &Event) -> Option<Self> {
        match (event, known) {
            (Event::ActProcessed(processed), known) if processed.act.id.as_str() == commit => {
                begun(processed).or(known)
            }
            (_, None) => None,
            (Event::ActProcessed(processed), Some(mut known)) => {
                if processed.result.commit.as_deref() == Some(commit) {
                    known.advance(processed);
                }
                Some(known)
            }
            (Event::ActionUnknown(found), Some(mut known)) => {
                if found.commit_id == commit {
                    known.unknown.insert(found.run.clone());
                }
                Some(known)
            }
            (event, Some(mut known)) => {
                if let Some((commit_id, run, well)) = event.run_ended()
                    && commit_id == commit
                {
                    known.end(run, well);
                }
                Some(known)
            }
        }
    }

    /// A run tells how far it has come.
    pub(crate) fn advance(&mut self, processed: &ActProcessed) {
        self.told += 1;
        let Body::Commit(commit) = &processed.act.body else { return };
        self.status = commit.state();
        self.retries = commit.retries();
        let Some(run) = processed.act.meta("run").and_then(|run| run.as_str()) else { return };
        match (commit.state(), &commit.rollback_info) {
            (CommitStatus::Failed, Some(info)) => drop(self.rollbacks.insert(run.to_owned(), info.clone())),
            (CommitStatus::InProgress, _) => drop(self.unknown.remove(run)),
            _ => {}
        }
    }

    /// A run has ended.
    pub(crate) fn end(&mut self, run: &str, well: bool) {
        self.unknown.remove(run);
        self.ended.insert(run.to_owned(), well);
    }

    /// Whether every run has ended.
    pub(crate) fn is_over(&self) -> bool {
        self.ended.len() >= self.runs
    }

    /// Whether every run has ended well, counting `run` as one of them.
    pub(crate) fn is_done_with(&self, run: &str) -> bool {
        let others = self.ended.iter().filter(|(name, well)| **well && *name != run).count();
        others + 1 >= self.runs
    }
}

/// The commitment that an act begins.
pub(crate) fn begun(processed: &ActProcessed) -> Option<Commitment> {
    match (&processed.act.body, processed.result.status) {
        (Body::Commit(commit), ActStatus::Routed) => Some(Commitment::begun(commit, processed.result.runs)),
        _ => None,
    }
}
