//! What is wrong with a value, in words that repeat nothing of it but the names of members.

use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use serde_json::Value;

/// The longest pointer, and the longest sentence, in characters.
const KEPT: usize = 200;

/// Where a value does not fit, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    /// An RFC 6901 pointer into the value, cut when it is very long.
    pub pointer: String,
    /// Why; reads after a colon.
    pub says: String,
}

impl Breach {
    pub(crate) fn of(error: &jsonschema::ValidationError<'_>) -> Self {
        Self { pointer: cut(error.instance_path().as_str().to_owned()), says: cut(says(error.kind())) }
    }
}

fn cut(text: String) -> String {
    match text.char_indices().nth(KEPT) {
        None => text,
        Some(_) => text.chars().take(KEPT - 1).chain(['…']).collect(),
    }
}

fn says(kind: &Kind) -> String {
    match kind {
        Kind::Required { property } => format!("lacks the member {}", quoted(property)),
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            format!("has no place for the member `{}`", unexpected.first().map_or("", String::as_str))
        }
        Kind::Type { kind } => format!("must be {}", types(kind)),
        Kind::Enum { options } => format!("must be one of {options}"),
        Kind::Constant { expected_value } => format!("must be {expected_value}"),
        Kind::Minimum { limit } => format!("must be at least {limit}"),
        Kind::Maximum { limit } => format!("must be at most {limit}"),
        Kind::ExclusiveMinimum { limit } => format!("must be more than {limit}"),
        Kind::ExclusiveMaximum { limit } => format!("must be less than {limit}"),
        Kind::MultipleOf { multiple_of } => format!("must be a multiple of {multiple_of}"),
        Kind::MinLength { limit } => format!("must have at least {limit} characters"),
        Kind::MaxLength { limit } => format!("must have at most {limit} characters"),
        Kind::MinItems { limit } => format!("must have at least {limit} items"),
        Kind::MaxItems { limit } => format!("must have at most {limit} items"),
        Kind::MinProperties { limit } => format!("must have at least {limit} members"),
        Kind::MaxProperties { limit } => format!("must have at most {limit} members"),
        Kind::AdditionalItems { limit } => format!("must have at most {limit} items"),
        Kind::UnevaluatedItems { .. } => "has an item that nothing allows".to_owned(),
        Kind::UniqueItems => "has an item twice".to_owned(),
        Kind::Pattern { pattern } => format!("must match {pattern:?}"),
        Kind::Format { format } => format!("must be a valid {format}"),
        Kind::AnyOf { .. } | Kind::OneOfNotValid { .. } => "fits none of the alternatives".to_owned(),
        Kind::OneOfMultipleValid { .. } => "fits more than one of the alternatives".to_owned(),
        Kind::Contains => "has no item, or too few or many, of the kind that it must contain".to_owned(),
        Kind::PropertyNames { .. } => "has a member whose name is not allowed".to_owned(),
        Kind::FalseSchema => "must not be there".to_owned(),
        other => format!("breaks `{}`", other.keyword()),
    }
}

fn quoted(name: &Value) -> String {
    name.as_str().map_or_else(|| name.to_string(), |name| format!("`{name}`"))
}

fn types(kind: &TypeKind) -> String {
    match kind {
        TypeKind::Single(one) => one.to_string(),
        TypeKind::Multiple(many) => many.iter().map(|one| one.to_string()).collect::<Vec<_>>().join(" or "),
    }
}
