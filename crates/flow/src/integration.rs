//! How the speaker of a commit is told that its run stands.

use conversation::IntegrationState;
use serde_json::json;
use store::RunStatus;

use crate::RunView;

impl From<&RunView> for IntegrationState {
    fn from(view: &RunView) -> Self {
        if let Some(step) = &view.unknown {
            return Self::Unknown { step: step.clone() };
        }
        match view.status {
            RunStatus::Succeeded => Self::Success { result: view.result.clone() },
            // What was wanted is done; the loser of a race waits for a person.
            RunStatus::Parked if view.error.is_none() => Self::Success { result: view.result.clone() },
            RunStatus::Failed | RunStatus::Compensated | RunStatus::Cancelled | RunStatus::Parked => {
                failed(view)
            }
            RunStatus::Queued
            | RunStatus::Running
            | RunStatus::Waiting
            | RunStatus::Paused
            | RunStatus::Compensating => Self::Pending,
        }
    }
}

fn failed(view: &RunView) -> IntegrationState {
    let (error, rollback) = (view.error.as_ref(), view.rollback.as_ref());
    IntegrationState::Error {
        error: error.map_or_else(|| "the run was cancelled".to_owned(), |error| error.message.clone()),
        code: error.map_or_else(|| "flow.cancelled".to_owned(), |error| error.code.clone()),
        recoverable: error.is_some_and(|error| error.recoverable),
        outcome: view.status,
        rollback_info: rollback.filter(|rollback| !rollback.is_empty()).map(|rollback| json!(rollback)),
    }
}
