//! Why a step failed, in words that help whoever is woken by it.

use std::sync::Arc;

use port::{Fault, Kind, Landed};
use serde::{Deserialize, Serialize};

/// Why a step, and perhaps the run, failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// The step at fault.
    pub step: Arc<str>,
    /// A word for machines: `call.refused`, `flow.missing`, or what a `raise` said.
    pub code: String,
    /// A sentence that reads after a colon. Never a secret.
    pub message: String,
    /// The fault's kind, when a system or its guard answered.
    pub kind: Option<Kind>,
    /// Whether the step's effect is there.
    pub landed: Landed,
    /// The protocol's status, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Attempts made.
    pub attempts: u32,
    /// The member of a group that acted, or may have: the one to ask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<Arc<str>>,
    /// Whether the same may pass later.
    pub recoverable: bool,
}

impl Failure {
    pub(crate) fn new(step: &Arc<str>, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            step: step.clone(),
            code: code.into(),
            message: message.into(),
            kind: None,
            landed: Landed::No,
            status: None,
            attempts: 0,
            member: None,
            recoverable: false,
        }
    }

    pub(crate) fn of(step: &Arc<str>, fault: &Fault) -> Self {
        Self {
            kind: Some(fault.kind),
            landed: fault.landed,
            status: fault.status,
            attempts: fault.attempts,
            member: fault.member.clone(),
            recoverable: fault.kind.may_pass(),
            ..Self::new(step, code(fault), fault.words())
        }
    }
}

/// An input that could not even be turned into a request is a fault of ours: no system has seen it.
fn code(fault: &Fault) -> String {
    let unsent = fault.kind == Kind::Invalid && fault.status.is_none() && fault.landed == Landed::No;
    if unsent { "flow.input".to_owned() } else { format!("call.{}", fault.kind.as_str()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(fault: &Fault) -> String {
        Failure::of(&"charge".into(), fault).message
    }

    #[test]
    fn a_failure_names_what_was_at_fault() {
        let fault = Fault::new(Kind::Refused, Landed::No, "the system refused")
            .with("answer", "card \"4242\" has expired")
            .with("operation", "charge");
        assert_eq!(
            told(&fault),
            r#"the system refused, answer "card \"4242\" has expired", operation "charge""#
        );
    }

    #[test]
    fn a_failure_is_short_whatever_the_system_says() {
        let fault =
            Fault::new(Kind::Refused, Landed::No, "the system refused").with("answer", "é".repeat(5000));
        let told = told(&fault);
        assert_eq!(told.chars().count(), 500);
        assert!(told.starts_with("the system refused, answer \"éé") && told.ends_with("é…"));
    }
}
