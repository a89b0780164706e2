//! The members each kind of draft may be given.

use super::Draft;
use crate::{
    ActId, Ask, Category, Commit, CommitError, CommitStatus, Confirm, ConfirmationMethod, Constraint,
    ExpectedType, Fact, Failure, Operation, Severity, SuggestedAction, ValidationStatus,
};

impl Draft<Ask> {
    /// Demands something of the answer.
    #[must_use]
    pub fn constraint(self, constraint: Constraint) -> Self {
        self.with(|ask| ask.constraints.get_or_insert_default().push(constraint))
    }

    /// What kind of answer is wanted.
    #[must_use]
    pub fn expecting(self, expected: ExpectedType) -> Self {
        self.with(|ask| ask.expected_type = Some(expected))
    }

    /// An answer is welcome, not needed.
    #[must_use]
    pub fn optional(self) -> Self {
        self.with(|ask| ask.required = Some(false))
    }

    /// How often it may be asked again.
    #[must_use]
    pub fn max_retries(self, times: u64) -> Self {
        self.with(|ask| ask.max_retries = Some(times.into()))
    }
}

impl Draft<Fact> {
    /// What happens to the field.
    #[must_use]
    pub fn operation(self, operation: Operation) -> Self {
        self.with(|fact| fact.operation = Some(operation))
    }

    /// What the speaker knows about its validity.
    #[must_use]
    pub fn validity(self, status: ValidationStatus) -> Self {
        self.with(|fact| fact.validation_status = Some(status))
    }
}

impl Draft<Confirm> {
    /// The answer is still waited for, for so long.
    #[must_use]
    pub fn awaiting(self, timeout_ms: Option<u64>) -> Self {
        self.with(|confirm| {
            confirm.awaiting = Some(true);
            confirm.timeout_ms = timeout_ms.map(Into::into);
        })
    }

    /// Yes.
    #[must_use]
    pub fn confirmed(self, method: ConfirmationMethod) -> Self {
        self.with(|confirm| {
            (confirm.awaiting, confirm.confirmed) = (Some(false), Some(true));
            confirm.confirmation_method = Some(method);
        })
    }

    /// No, and why.
    #[must_use]
    pub fn rejected(self, reason: impl Into<String>) -> Self {
        self.with(|confirm| {
            (confirm.awaiting, confirm.confirmed) = (Some(false), Some(false));
            confirm.rejection_reason = Some(reason.into());
        })
    }
}

impl Draft<Commit> {
    /// By which system.
    #[must_use]
    pub fn system(self, system: impl Into<String>) -> Self {
        self.with(|commit| commit.system = Some(system.into()))
    }

    /// The caller's own key against doing it twice.
    #[must_use]
    pub fn idempotency_key(self, key: impl Into<String>) -> Self {
        self.with(|commit| commit.idempotency_key = Some(key.into()))
    }

    /// How far it has come.
    #[must_use]
    pub fn status(self, status: CommitStatus) -> Self {
        self.with(|commit| commit.status = Some(status))
    }

    /// It is done; the system's name for it.
    #[must_use]
    pub fn succeeded(self, transaction_id: Option<String>) -> Self {
        self.with(|commit| {
            (commit.status, commit.transaction_id) = (Some(CommitStatus::Success), transaction_id);
        })
    }

    /// It failed, and why.
    #[must_use]
    pub fn failed(self, error: CommitError) -> Self {
        self.with(|commit| (commit.status, commit.error) = (Some(CommitStatus::Failed), Some(error)))
    }

    /// How often it was tried again.
    #[must_use]
    pub fn retry_count(self, times: u64) -> Self {
        self.with(|commit| commit.retry_count = Some(times.into()))
    }
}

impl Draft<Failure> {
    /// How bad it is.
    #[must_use]
    pub fn severity(self, severity: Severity) -> Self {
        self.with(|failure| failure.severity = Some(severity))
    }

    /// What part of the work it speaks of.
    #[must_use]
    pub fn category(self, category: Category) -> Self {
        self.with(|failure| failure.category = Some(category))
    }

    /// The act that went wrong.
    #[must_use]
    pub fn about(self, act: ActId) -> Self {
        self.with(|failure| failure.related_act_id = Some(act))
    }

    /// What the speaker would do next.
    #[must_use]
    pub fn suggesting(self, action: SuggestedAction) -> Self {
        self.with(|failure| failure.suggested_action = Some(action))
    }
}
