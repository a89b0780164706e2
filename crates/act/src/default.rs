//! What an absent member means. Defaults are applied when they are asked for, never written back.

use crate::{
    Ask, Commit, CommitStatus, Confirm, Constraint, Count, Fact, Failure, Operation, Severity,
    ValidationStatus,
};

impl Count {
    /// The number; one too large for 64 bits is held at the largest that is not.
    pub fn get(&self) -> u64 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "`as` saturates, as promised"
        )]
        self.0.as_u64().unwrap_or_else(|| self.0.as_f64().unwrap_or(0.0) as u64)
    }
}

impl From<u64> for Count {
    fn from(count: u64) -> Self {
        Self(count.into())
    }
}

/// How often a thing is tried again when nothing else is said.
const MAX_RETRIES: u64 = 3;

impl Ask {
    /// Whether an answer is needed (default: yes).
    pub fn is_required(&self) -> bool {
        self.required.unwrap_or(true)
    }

    /// How often it was asked again (default 0).
    pub fn retries(&self) -> u64 {
        self.retry_count.as_ref().map_or(0, Count::get)
    }

    /// How often it may be asked again (default 3).
    pub fn retry_limit(&self) -> u64 {
        self.max_retries.as_ref().map_or(MAX_RETRIES, Count::get)
    }

    /// What is demanded of the answer (default: nothing).
    pub fn demands(&self) -> &[Constraint] {
        self.constraints.as_deref().unwrap_or_default()
    }
}

impl Fact {
    /// What happens to the field (default `set`).
    pub fn op(&self) -> Operation {
        self.operation.unwrap_or(Operation::Set)
    }

    /// What the speaker knows about its validity (default `pending`).
    pub fn validity(&self) -> ValidationStatus {
        self.validation_status.unwrap_or(ValidationStatus::Pending)
    }
}

impl Confirm {
    /// Whether the answer is still waited for. When the act does not say, it is while there is no answer.
    pub fn is_awaiting(&self) -> bool {
        self.awaiting.unwrap_or(self.confirmed.is_none())
    }
}

impl Commit {
    /// How far it has come (default `pending`).
    pub fn state(&self) -> CommitStatus {
        self.status.unwrap_or(CommitStatus::Pending)
    }

    /// How often it was tried again (default 0).
    pub fn retries(&self) -> u64 {
        self.retry_count.as_ref().map_or(0, Count::get)
    }

    /// How often it may be tried again (default 3).
    pub fn retry_limit(&self) -> u64 {
        self.max_retries.as_ref().map_or(MAX_RETRIES, Count::get)
    }
}

impl Failure {
    /// How bad it is (default `error`).
    pub fn gravity(&self) -> Severity {
        self.severity.unwrap_or(Severity::Error)
    }
}
