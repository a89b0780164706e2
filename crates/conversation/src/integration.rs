//! What the speaker of an act is told: what became of the act, and of the runs that it began.

use act::Issue;
use react::Ruling;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use store::RunStatus;

use crate::{Started, Taken};

/// The answer about an act that was taken.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ActAnswer<'a> {
    /// The act, as JSON.
    pub processed_act: &'a RawValue,
    /// What became of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<&'a Ruling>,
    /// A position at or beyond it.
    pub position: u64,
    /// What it has set in motion.
    pub integrations: Vec<Integration>,
    /// What runs wait to hear next.
    pub next_actions: Vec<Value>,
    /// Whether it had been taken before.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub replayed: bool,
    /// What is odd about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warnings: Option<&'a [Issue]>,
}

impl<'a> ActAnswer<'a> {
    /// The answer about an act whose runs stand so.
    pub fn new(taken: &'a Taken, integrations: Vec<Integration>, next_actions: Vec<Value>) -> Self {
        Self {
            processed_act: &taken.act,
            result: taken.result.as_ref(),
            position: taken.position,
            integrations,
            next_actions,
            replayed: taken.replayed,
            warnings: (!taken.warnings.is_empty()).then_some(&*taken.warnings),
        }
    }

    /// Whether something that was set in motion is not over, or not known.
    pub fn is_moving(&self) -> bool {
        self.integrations.iter().any(Integration::is_moving)
    }
}

/// A run that an act has begun, and how it stands.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Integration {
    /// The system that the commit named; `default` when it named none.
    pub system: String,
    /// The run.
    pub run: String,
    /// How it stands.
    #[serde(flatten)]
    pub state: IntegrationState,
}

impl Integration {
    /// A run that was begun, in this state.
    pub fn new(started: &Started, state: IntegrationState) -> Self {
        Self { system: started.system.clone(), run: started.run.clone(), state }
    }

    /// Whether it is not over, or nobody knows what became of it.
    pub fn is_moving(&self) -> bool {
        match self.state {
            IntegrationState::Pending | IntegrationState::Unknown { .. } => true,
            IntegrationState::Success { .. } | IntegrationState::Error { .. } => false,
        }
    }
}

/// How a run stands, as the speaker of its commit is told.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "status", rename_all = "lowercase")]
pub enum IntegrationState {
    /// It is not over.
    Pending,
    /// Nobody knows whether what a step asked for has landed.
    Unknown {
        /// The step.
        step: String,
    },
    /// It has done what was wanted.
    Success {
        /// The flow's `result`.
        result: Option<Value>,
    },
    /// It could not be done.
    Error {
        /// Why, for people.
        error: String,
        /// Why, for machines.
        code: String,
        /// Whether the same may pass later.
        recoverable: bool,
        /// How the run has ended.
        outcome: RunStatus,
        /// What was undone, and what not.
        #[serde(skip_serializing_if = "Option::is_none")]
        rollback_info: Option<Value>,
    },
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_integration_is_told_with_its_status() {
        let started = Started { run: "run_1".to_owned(), system: "shop".to_owned() };
        let told = |state| json!(Integration::new(&started, state));
        assert_eq!(
            told(IntegrationState::Pending),
            json!({"system": "shop", "run": "run_1", "status": "pending"})
        );
        let failed = IntegrationState::Error {
            error: "no".to_owned(),
            code: "E".to_owned(),
            recoverable: false,
            outcome: RunStatus::Failed,
            rollback_info: None,
        };
        let failed = told(failed);
        assert_eq!((&failed["status"], &failed["outcome"]), (&json!("error"), &json!("failed")));
        assert!(failed.get("rollback_info").is_none());
    }
}
