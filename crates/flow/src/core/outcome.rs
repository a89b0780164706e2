//! How a run ended, and what its conversation is told of that.

use serde::{Deserialize, Serialize};
use serde_json::Value;
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

/// How far a commit has come, for the conversation.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Its flow has begun.
    InProgress,
    /// Nobody knows whether what a step asked for has landed; the run finds out, or waits for a person. Told once, and
    /// followed by [`Outcome::InProgress`] when it is known and the run goes on.
    Unknown {
        /// The step.
        step: String,
    },
    /// Its flow has done everything.
    Success {
        /// `transaction_id` of the flow's result, or the result when it is text.
        transaction_id: Option<String>,
        /// The flow's `result`.
        result: Value,
    },
    /// Its flow could not be done; what it did was undone, as far as `parked` does not say otherwise.
    Failed {
        /// Why; `error.step` names the step.
        error: Failure,
        /// Whether something could not be undone.
        parked: bool,
        /// What was undone, and what not.
        rollback: Rollback,
    },
}

impl Ended {
    pub(crate) fn outcome(&self, state: &State) -> Outcome {
        match (&self.error, self.status) {
            // A loser of a race could not be undone; what was wanted is done.
            (None, RunStatus::Succeeded | RunStatus::Parked) => {
                Outcome::Success { transaction_id: transaction(&self.result), result: self.result.clone() }
            }
            // A person will find out: until then it has not failed.
            (_, RunStatus::Parked) if state.unknown().is_some() => {
                Outcome::Unknown { step: state.unknown().map_or_else(String::new, ToString::to_string) }
            }
            (error, status) => {
                let rollback = state.rollback();
                let none = || Failure::new(&"".into(), "flow.cancelled", "the run was cancelled");
                let error = error.clone().unwrap_or_else(none);
                Outcome::Failed { error, parked: status == RunStatus::Parked, rollback }
            }
        }
    }
}

fn transaction(result: &Value) -> Option<String> {
    match result.get("transaction_id").unwrap_or(result) {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
