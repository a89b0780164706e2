//! What the five acts say, and what a custom act says.
//!
//! Members are what was written: `None` is absent. Defaults are applied by the methods, and never written back.

use serde::Serialize;
use serde_json::{Number, Value};

use crate::{
    ActId, Action, Category, CommitStatus, ConfirmationMethod, Constraint, EntityRef, ExpectedType, Kind,
    Map, Operation, Severity, SuggestedAction, ValidationStatus, Word as _,
};

/// What an act says.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Body {
    /// Wants to know something.
    Ask(Ask),
    /// Says what a field of an entity is, or how it changes.
    Fact(Fact),
    /// Wants, or gives, a confirmation.
    Confirm(Confirm),
    /// Wants something done in a business system, or says how far it has come.
    Commit(Commit),
    /// Says that something went wrong.
    Error(Failure),
    /// Something this deployment has added.
    Custom(Custom),
}

/// A whole number that is not negative, kept as it was written: `1`, `1.0` and `1e0` are the same count.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Count(pub(crate) Number);

/// Wants to know the value of a field.
#[derive(Clone, Debug, PartialEq, Default, Serialize)]
pub struct Ask {
    /// Which field.
    pub field: String,
    /// The question.
    pub prompt: String,
    /// What is demanded of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub constraints: Option<Vec<Constraint>>,
    /// Whether an answer is needed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub required: Option<bool>,
    /// What kind of answer is wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_type: Option<ExpectedType>,
    /// How often it was asked again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_count: Option<Count>,
    /// How often it may be asked again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_retries: Option<Count>,
}

/// Says what a field of an entity is, or how it changes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Fact {
    /// Whose field.
    pub entity: EntityRef,
    /// Which field: a literal key, not a path.
    pub field: String,
    /// Any JSON, null too.
    pub value: Value,
    /// What happens to the field.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<Operation>,
    /// What the speaker believes the field was; `Some(Null)` is a written null.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_value: Option<Value>,
    /// What the speaker knows about its validity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation_status: Option<ValidationStatus>,
    /// Why the speaker holds it for invalid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation_errors: Option<Vec<String>>,
}

/// Wants, or gives, a confirmation.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Confirm {
    /// Of what.
    pub entity: EntityRef,
    /// What is to be confirmed, in words.
    pub summary: String,
    /// Whether it is still waited for; see [`Confirm::is_awaiting`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub awaiting: Option<bool>,
    /// The answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirmed: Option<bool>,
    /// How the answer was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirmation_method: Option<ConfirmationMethod>,
    /// Which fields the answer covers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fields_confirmed: Option<Vec<String>>,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rejection_reason: Option<String>,
    /// How long to wait for the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<Count>,
}

/// Wants something done in a business system, or says how far it has come.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Commit {
    /// With what.
    pub entity: EntityRef,
    /// What is to be done.
    pub action: Action,
    /// By which system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// The system's name for what it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transaction_id: Option<String>,
    /// How far it has come.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<CommitStatus>,
    /// What went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<CommitError>,
    /// How often it was tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_count: Option<Count>,
    /// How often it may be tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_retries: Option<Count>,
    /// The caller's own key against doing it twice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
    /// What is needed to undo it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollback_info: Option<Map>,
}

/// What went wrong with a commit. Open: systems add members of their own.
#[derive(Clone, Debug, PartialEq, Default, Serialize)]
pub struct CommitError {
    /// A word for machines.
    pub code: String,
    /// A sentence for people.
    pub message: String,
    /// More about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<Map>,
    /// Whether trying again may help.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recoverable: Option<bool>,
    /// What the system added.
    #[serde(flatten)]
    pub extra: Map,
}

/// Says that something went wrong.
#[derive(Clone, Debug, PartialEq, Default, Serialize)]
pub struct Failure {
    /// A word for machines.
    pub code: String,
    /// A sentence for engineers.
    pub message: String,
    /// Whether trying again may help.
    pub recoverable: bool,
    /// How bad it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// What part of the work it speaks of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<Category>,
    /// More about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<Map>,
    /// The act that went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub related_act_id: Option<ActId>,
    /// What the speaker would do next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suggested_action: Option<SuggestedAction>,
    /// A sentence for users.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_message: Option<String>,
    /// Never shown to users.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stack_trace: Option<String>,
}

/// An act of a type this deployment has added; its members beside those every act has.
#[derive(Clone, Debug, PartialEq, Default, Serialize)]
pub struct Custom {
    /// Its type: `^[a-z][a-z0-9_.]*$`, not one of the five.
    #[serde(skip)]
    pub name: String,
    /// Its own members.
    #[serde(flatten)]
    pub members: Map,
}

impl Body {
    /// The act's `type` as it is written.
    pub fn type_name(&self) -> &str {
        match self {
            Body::Custom(custom) => &custom.name,
            _ => self.kind().map_or("", Kind::as_str),
        }
    }

    /// Which of the five it is; `None` for a custom act.
    pub fn kind(&self) -> Option<Kind> {
        match self {
            Body::Ask(_) => Some(Kind::Ask),
            Body::Fact(_) => Some(Kind::Fact),
            Body::Confirm(_) => Some(Kind::Confirm),
            Body::Commit(_) => Some(Kind::Commit),
            Body::Error(_) => Some(Kind::Error),
            Body::Custom(_) => None,
        }
    }

    /// The entity it speaks about; asks, errors and custom acts name none.
    pub fn entity(&self) -> Option<&EntityRef> {
        match self {
            Body::Fact(fact) => Some(&fact.entity),
            Body::Confirm(confirm) => Some(&confirm.entity),
            Body::Commit(commit) => Some(&commit.entity),
            Body::Ask(_) | Body::Error(_) | Body::Custom(_) => None,
        }
    }
}
