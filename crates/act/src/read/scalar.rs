//! One JSON value to one Rust value.

use serde_json::{Number, Value};

use crate::issue::code;
use crate::vocabulary::one_of;
use crate::{ActId, ConversationId, Count, Map, Time, Word, format};

/// Why a value is not what its member holds.
pub(crate) struct Wrong {
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

pub(crate) type Read<T> = Result<T, Wrong>;

fn wrong<T>(code: &'static str, message: impl Into<String>) -> Read<T> {
    Err(Wrong { code, message: message.into() })
}

fn not_a<T>(expected: &str, found: &Value) -> Read<T> {
    wrong(code::TYPE, format!("expected {expected}, found {}", name(found)))
}

/// What a JSON value is, in words.
pub(crate) fn name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// What is said of a name that is too long.
pub(crate) fn too_long(most: usize) -> String {
    format!("expected at most {most} bytes")
}

pub(crate) fn text(value: Value) -> Read<String> {
    match value {
        Value::String(text) => Ok(text),
        other => not_a("a string", &other),
    }
}

pub(crate) fn flag(value: Value) -> Read<bool> {
    match value {
        Value::Bool(flag) => Ok(flag),
        other => not_a("true or false", &other),
    }
}

pub(crate) fn number(value: Value) -> Read<Number> {
    match value {
        Value::Number(number) => Ok(number),
        other => not_a("a number", &other),
    }
}

pub(crate) fn object(value: Value) -> Read<Map> {
    match value {
        Value::Object(map) => Ok(map),
        other => not_a("an object", &other),
    }
}

pub(crate) fn array(value: Value) -> Read<Vec<Value>> {
    match value {
        Value::Array(items) => Ok(items),
        other => not_a("an array", &other),
    }
}

/// A whole number that is not negative; `1.0` is one.
pub(crate) fn count(value: Value) -> Read<Count> {
    let number = number(value)?;
    if number.is_f64() && number.as_f64().is_some_and(|n| n.fract() != 0.0) {
        return wrong(code::TYPE, format!("expected a whole number, found {number}"));
    }
    let negative = number.as_f64().is_some_and(|n| n < 0.0);
    if negative {
        wrong(code::BOUND, format!("expected 0 or more, found {number}"))
    } else {
        Ok(Count(number))
    }
}

/// A number that is not negative.
pub(crate) fn amount(value: Value) -> Read<Number> {
    let number = number(value)?;
    let negative = number.as_f64().is_some_and(|n| n < 0.0);
    if negative { wrong(code::BOUND, format!("expected 0 or more, found {number}")) } else { Ok(number) }
}

/// A number from 0 to 1.
pub(crate) fn unit(value: Value) -> Read<Number> {
    let number = number(value)?;
    let inside = number.as_f64().is_some_and(|n| (0.0..=1.0).contains(&n));
    if inside { Ok(number) } else { wrong(code::BOUND, format!("expected 0 to 1, found {number}")) }
}

pub(crate) fn word<W: Word>(value: Value) -> Read<W> {
    let text = text(value)?;
    W::parse(&text).ok_or_else(|| Wrong { code: code::CHOICE, message: one_of::<W>(&text) })
}

pub(crate) fn time(value: Value) -> Read<Time> {
    let text = text(value)?;
    let expected = || "expected an RFC 3339 date-time with a zone, such as 2025-03-04T09:15:00Z".to_owned();
    Time::parse(&text).ok_or_else(|| Wrong { code: code::FORMAT, message: expected() })
}

pub(crate) fn act_id(value: Value) -> Read<ActId> {
    let expected = || "expected act_ and one or more letters, digits, _ or -".to_owned();
    ActId::parse(&text(value)?).ok_or_else(|| Wrong { code: code::FORMAT, message: expected() })
}

pub(crate) fn conversation_id(value: Value) -> Read<ConversationId> {
    let expected = || "expected conv_ and one or more letters, digits, _ or -".to_owned();
    ConversationId::parse(&text(value)?).ok_or_else(|| Wrong { code: code::FORMAT, message: expected() })
}

pub(crate) fn email(value: Value) -> Read<String> {
    formed(value, format::is_mailbox, "expected an e-mail address")
}

pub(crate) fn uri(value: Value) -> Read<String> {
    formed(value, format::is_uri, "expected an absolute URI")
}

pub(crate) fn language(value: Value) -> Read<String> {
    formed(value, format::is_language, "expected a language such as en or en-US")
}

fn formed(value: Value, is: fn(&str) -> bool, expected: &str) -> Read<String> {
    let text = text(value)?;
    if is(&text) { Ok(text) } else { wrong(code::FORMAT, expected) }
}
