//! How a run ended, and what its conversation is told of that.

use conversation::{Change, CommitError};
use port::Landed;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use store::RunStatus;

use super::state::State;
use super::{Failure, Rollback};

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Ended {
    pub(crate) status: RunStatus,
    pub(crate) result: Value,
    pub(crate) error: Option<Failure>,
}

impl Ended {
    /// How far the run's commit has come with it.
    pub(crate) fn change(&self, state: &State) -> Change {
        match (&self.error, self.status) {
            // A person will find out: until then it has not failed, and not succeeded once.
            (_, RunStatus::Parked) if state.unknown().is_some() => {
                Change::Unknown { step: state.unknown().map_or_else(String::new, ToString::to_string) }
            }
            // A loser of a race could not be undone; what was wanted is done.
            (None, RunStatus::Succeeded | RunStatus::Parked) => {
                Change::Success { transaction_id: transaction(&self.result) }
            }
            (error, status) => {
                let none = || Failure::new(&"".into(), "flow.cancelled", "the run was cancelled");
                let error = error.clone().unwrap_or_else(none);
                failed(&error, status == RunStatus::Parked, &state.rollback())
            }
        }
    }
}

impl State {
    /// Whether the last that its conversation was told is that nobody knows whether a step landed.
    pub(crate) fn told_unknown(&self) -> bool {
        match &self.ended {
            Some(ended) => matches!(ended.change(self), Change::Unknown { .. }),
            // How it had ended is what was told last.
            None if self.is_undone() => false,
            None => self.unknown().is_some(),
        }
    }
}

/// It could not be done; what was done is undone, as far as `parked` does not say otherwise.
fn failed(error: &Failure, parked: bool, rollback: &Rollback) -> Change {
    let details =
        json!({ "step": error.step, "landed": error.landed, "attempts": error.attempts, "parked": parked });
    Change::Failed {
        error: CommitError {
            code: error.code.clone(),
            message: error.message.clone(),
            details: members(details),
            // Of what could not be undone, or may have landed, nobody should make a second.
            recoverable: Some(error.recoverable && !parked && error.landed == Landed::No),
            ..CommitError::default()
        },
        retries: u64::from(error.attempts.saturating_sub(1)),
        rollback: members(json!(rollback)).filter(|_| !rollback.is_empty()),
    }
}

fn members(value: Value) -> Option<Map<String, Value>> {
    match value {
        Value::Object(members) => Some(members),
        _ => None,
    }
}

fn transaction(result: &Value) -> Option<String> {
    match result.get("transaction_id").unwrap_or(result) {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
