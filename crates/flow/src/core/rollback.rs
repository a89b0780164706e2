//! What a run that came to nothing has undone, and what of its effects stands.

use std::sync::Arc;

use serde::Serialize;

use super::member::step_of;
use super::record::{Record, RecordStatus, Undo};
use super::state::State;

/// What a run that came to nothing has undone, and what not. Steps by their paths, in the order in which they began.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Rollback {
    /// Steps whose effects were undone.
    pub undone: Vec<String>,
    /// Steps whose effects stand, or may: their undo failed, they declare none, or nobody knows whether they landed.
    pub not_undone: Vec<String>,
    /// Steps whose undo was sent, and of which nobody knows whether they are undone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<String>,
}

impl Rollback {
    /// Whether nothing was done that could be undone.
    pub fn is_empty(&self) -> bool {
        self.undone.is_empty() && self.not_undone.is_empty() && self.unknown.is_empty()
    }
}

impl State {
    /// What has become of the effects of this run, and of the runs that its steps began.
    pub(crate) fn rollback(&self) -> Rollback {
        let mut rollback = Rollback::default();
        for record in self.records.iter().filter(|record| record.is_effect() || record.is_child()) {
            let path = record.path.to_string();
            if self.undos_in_doubt().any(|undo| step_of(&undo.path) == path) {
                rollback.unknown.push(path);
                continue;
            }
            match record.status {
                RecordStatus::Compensated => rollback.undone.push(path),
                RecordStatus::Succeeded | RecordStatus::Unknown | RecordStatus::Parked => {
                    rollback.not_undone.push(path);
                }
                RecordStatus::Running | RecordStatus::Waiting | RecordStatus::Blocked => {}
                // A run that it began could not undo everything.
                RecordStatus::Failed if self.left_by_a_child(&record.path) => rollback.not_undone.push(path),
                RecordStatus::Failed | RecordStatus::Skipped | RecordStatus::Dropped => {}
            }
        }
        self.add_forgotten(&mut rollback);
        rollback
    }

    /// What was done before the run was restarted, and not done again, has effects all the same.
    fn add_forgotten(&self, rollback: &mut Rollback) {
        for done in self.done.iter().filter(|done| done.task.acts()) {
            let path = done.path.to_string();
            let told = [&rollback.undone, &rollback.not_undone, &rollback.unknown];
            if told.iter().any(|paths| paths.contains(&path)) {
                continue;
            }
            match done.undo {
                Undo::Compensated => rollback.undone.push(path),
                Undo::Pending | Undo::Parked | Undo::InDoubt => rollback.not_undone.push(path),
                Undo::Nothing => {}
            }
        }
    }
}

impl State {
    /// The step of which nobody knows whether it landed, while that is so; of a run below, with the step that began it.
    pub(crate) fn unknown(&self) -> Option<&Arc<str>> {
        let unknown = |record: &&Record| match record.status {
            RecordStatus::Unknown => true,
            RecordStatus::Running | RecordStatus::Blocked => self.verifies(&record.path),
            _ => false,
        };
        let own = self.records.iter().find(unknown).map(|record| &record.path);
        own.or_else(|| self.unknown_below())
    }
}
