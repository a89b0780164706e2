//! What is known of a value before there is one.

use std::collections::BTreeMap;

use serde_json::Value;

/// The static type of a name, a field or an expression. Any value may also be `null`.
#[derive(Clone, Debug, PartialEq)]
pub enum Ty {
    /// Nothing is known; checked when it is evaluated.
    Any,
    /// `null` and nothing else.
    Null,
    /// `true` or `false`.
    Bool,
    /// A whole number.
    Int,
    /// A number, whole or decimal.
    Number,
    /// Text.
    Text,
    /// A list whose items have one type.
    List(Box<Ty>),
    /// A map with its known fields; an open one may have more.
    Map {
        /// The known fields.
        fields: BTreeMap<String, Ty>,
        /// Whether fields beyond the known ones may exist.
        open: bool,
    },
    /// An opaque handle: it may be passed on whole, and nothing else. Its members are secrets too.
    Secret,
}

impl Ty {
    /// A list of `item`.
    pub fn list(item: Ty) -> Self {
        Self::List(Box::new(item))
    }

    /// A map that has these fields and no other.
    pub fn closed<K: Into<String>>(fields: impl IntoIterator<Item = (K, Ty)>) -> Self {
        Self::Map { fields: collect(fields), open: false }
    }

    /// A map that has these fields and may have others.
    pub fn open<K: Into<String>>(fields: impl IntoIterator<Item = (K, Ty)>) -> Self {
        Self::Map { fields: collect(fields), open: true }
    }

    /// What a JSON Schema promises: `type`, `properties`, `additionalProperties: false`, `items`.
    /// Whatever it does not understand is [`Ty::Any`].
    pub fn from_schema(schema: &Value) -> Self {
        match schema.get("type").and_then(Value::as_str) {
            Some("null") => Self::Null,
            Some("boolean") => Self::Bool,
            Some("integer") => Self::Int,
            Some("number") => Self::Number,
            Some("string") => Self::Text,
            Some("array") => Self::list(schema.get("items").map_or(Self::Any, Self::from_schema)),
            Some("object") => Self::from_object_schema(schema),
            _ => Self::Any,
        }
    }

    /// The type of a value that is known.
    pub fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(_) => Self::Bool,
            Value::Number(number) if number.is_f64() => Self::Number,
            Value::Number(_) => Self::Int,
            Value::String(_) => Self::Text,
            Value::Array(_) => Self::list(Self::Any),
            Value::Object(map) => Self::closed(map.iter().map(|(name, value)| (name, Self::of(value)))),
        }
    }

    /// The word for it in messages.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Any => "any value",
            Self::Null => "null",
            Self::Bool => "a boolean",
            Self::Int | Self::Number => "a number",
            Self::Text => "text",
            Self::List(_) => "a list",
            Self::Map { .. } => "a map",
            Self::Secret => "a secret",
        }
    }

    /// Whether it is a secret or has one in it.
    pub fn holds_secret(&self) -> bool {
        match self {
            Self::Secret => true,
            Self::List(item) => item.holds_secret(),
            Self::Map { fields, .. } => fields.values().any(Self::holds_secret),
            Self::Any | Self::Null | Self::Bool | Self::Int | Self::Number | Self::Text => false,
        }
    }

    fn from_object_schema(schema: &Value) -> Self {
        let properties = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
        Self::Map {
            fields: properties.map(|(name, field)| (name.clone(), Self::from_schema(field))).collect(),
            open: schema.get("additionalProperties") != Some(&Value::Bool(false)),
        }
    }

    /// Whether a value of this type may be of the `wanted` one. Whatever is typed may turn out to be null, which
    /// fails when it is evaluated; a plain `null` fails here.
    pub(crate) fn fits(&self, wanted: &Ty) -> bool {
        matches!(self, Self::Any) || self == wanted || matches!((self, wanted), (Self::Int, Self::Number))
    }

    pub(crate) fn addable(&self) -> bool {
        matches!(self, Self::Any | Self::Int | Self::Number | Self::Text | Self::List(_))
    }

    /// Whether `==` may compare values of the two types.
    pub(crate) fn comparable(&self, other: &Ty) -> bool {
        match (self, other) {
            (Self::Any | Self::Null, _) | (_, Self::Any | Self::Null) => true,
            (Self::Int | Self::Number, Self::Int | Self::Number) => true,
            (Self::List(left), Self::List(right)) => left.comparable(right),
            (Self::Map { .. }, Self::Map { .. }) => true,
            (left, right) => left == right,
        }
    }

    /// The type of a value that is one or the other.
    pub(crate) fn join(self, other: Ty) -> Ty {
        match (self, other) {
            (left, right) if left == right => left,
            (Self::Null, other) | (other, Self::Null) => other,
            (Self::Int | Self::Number, Self::Int | Self::Number) => Self::Number,
            (Self::List(left), Self::List(right)) => Self::list(left.join(*right)),
            // Whichever it is, it must be treated as the secret it may be.
            (left, right) if left.holds_secret() || right.holds_secret() => Self::Secret,
            _ => Self::Any,
        }
    }
}

fn collect<K: Into<String>>(fields: impl IntoIterator<Item = (K, Ty)>) -> BTreeMap<String, Ty> {
    fields.into_iter().map(|(name, ty)| (name.into(), ty)).collect()
}
