//! What an ask demands of its answer.

use serde::ser::{Serialize, SerializeStruct, Serializer};
use serde_json::{Number, Value, json};

use crate::{Count, Format};

/// One demand on a value, with what to say when it is not met.
#[derive(Clone, Debug, PartialEq)]
pub struct Constraint {
    /// What is demanded.
    pub rule: Rule,
    /// What to say instead of the built-in text.
    pub message: Option<String>,
    /// A code handed back to the caller.
    pub code: Option<String>,
}

/// The nine kinds of demand, each with its value. Those that need none keep whatever was written there.
#[derive(Clone, Debug, PartialEq)]
pub enum Rule {
    /// Neither null nor blank.
    Required(Option<Value>),
    /// May be absent.
    Optional(Option<Value>),
    /// At least so many characters, items or members.
    MinLength(Count),
    /// At most so many characters, items or members.
    MaxLength(Count),
    /// Text that the expression matches somewhere.
    Pattern(String),
    /// Text of a known form.
    Format(Format),
    /// A number between bounds.
    Range(Range),
    /// One of these values.
    OneOf(Vec<Value>),
    /// A rule of the house, `{business_rule, parameters}`.
    Custom(Option<Value>),
}

/// Bounds of a number; a missing bound bounds nothing.
#[derive(Clone, Debug, PartialEq, Default, serde::Serialize)]
pub struct Range {
    /// The lower bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<Number>,
    /// The upper bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<Number>,
    /// Whether the bounds themselves are inside; they are when this is absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inclusive: Option<bool>,
}

impl Rule {
    /// The word for this kind of demand.
    pub fn name(&self) -> &'static str {
        match self {
            Rule::Required(_) => "required",
            Rule::Optional(_) => "optional",
            Rule::MinLength(_) => "min_length",
            Rule::MaxLength(_) => "max_length",
            Rule::Pattern(_) => "pattern",
            Rule::Format(_) => "format",
            Rule::Range(_) => "range",
            Rule::OneOf(_) => "enum",
            Rule::Custom(_) => "custom",
        }
    }

    /// Every word for a kind of demand.
    pub const NAMES: [&'static str; 9] =
        ["required", "optional", "min_length", "max_length", "pattern", "format", "range", "enum", "custom"];
}

impl Constraint {
    /// Neither null nor blank.
    pub fn required() -> Self {
        Rule::Required(None).into()
    }

    /// At least `length` characters, items or members.
    pub fn min_length(length: u64) -> Self {
        Rule::MinLength(length.into()).into()
    }

    /// At most `length` characters, items or members.
    pub fn max_length(length: u64) -> Self {
        Rule::MaxLength(length.into()).into()
    }

    /// An e-mail address.
    pub fn email() -> Self {
        Rule::Format(Format::Email).into()
    }

    /// A telephone number.
    pub fn phone() -> Self {
        Rule::Format(Format::Phone).into()
    }

    /// One of `values`; an ask with none of them is refused when it is checked.
    pub fn one_of(values: impl IntoIterator<Item = Value>) -> Self {
        Rule::OneOf(values.into_iter().collect()).into()
    }

    /// A number from `min` to `max`, both inside.
    pub fn range(min: impl Into<Number>, max: impl Into<Number>) -> Self {
        Rule::Range(Range { min: Some(min.into()), max: Some(max.into()), inclusive: None }).into()
    }

    /// A rule of the house.
    pub fn business_rule(name: &str, parameters: &Value) -> Self {
        Rule::Custom(Some(json!({ "business_rule": name, "parameters": parameters }))).into()
    }

    /// With what to say when the demand is not met.
    #[must_use]
    pub fn saying(mut self, message: impl Into<String>) -> Self {
        self.message = Some(message.into());
        self
    }

    /// With a code for the caller.
    #[must_use]
    pub fn coded(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }
}

impl From<Rule> for Constraint {
    fn from(rule: Rule) -> Self {
        Self { rule, message: None, code: None }
    }
}

impl Serialize for Constraint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_struct("Constraint", 4)?;
        out.serialize_field("type", self.rule.name())?;
        match &self.rule {
            Rule::Required(None) | Rule::Optional(None) | Rule::Custom(None) => out.skip_field("value")?,
            Rule::Required(Some(value)) | Rule::Optional(Some(value)) | Rule::Custom(Some(value)) => {
                out.serialize_field("value", value)?;
            }
            Rule::MinLength(length) | Rule::MaxLength(length) => out.serialize_field("value", length)?,
            Rule::Pattern(text) => out.serialize_field("value", text)?,
            Rule::Format(format) => out.serialize_field("value", format)?,
            Rule::Range(range) => out.serialize_field("value", range)?,
            Rule::OneOf(values) => out.serialize_field("value", values)?,
        }
        if let Some(message) = &self.message {
            out.serialize_field("message", message)?;
        }
        if let Some(code) = &self.code {
            out.serialize_field("code", code)?;
        }
        out.end()
    }
}
