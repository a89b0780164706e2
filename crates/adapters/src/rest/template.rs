//! `/orders/{id}`: text with holes that members of the input fill.

use serde_json::{Map, Value};

/// The longest text one member may contribute.
const LONGEST: usize = 2048;

/// Text with holes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Text(String),
    Member(String),
}

/// Why a template could not be filled.
#[derive(Debug, PartialEq)]
pub(super) enum Gap<'a> {
    /// The input has no such member, or it is null.
    Absent(&'a str),
    /// The member is there and cannot stand in text; says what it should be.
    Unfit(&'a str, &'static str),
}

impl Template {
    /// Reads `text`; a hole is `{name}` with letters, digits, `_` and `-` in the name.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(open) = rest.find(['{', '}']) {
            let hole = rest[open..].strip_prefix('{').and_then(|after| after.split_once('}'));
            let Some((name, after)) = hole.filter(|(name, _)| is_name(name)) else {
                return Err(format!("{text:?} has a brace that is not part of a {{member}}"));
            };
            if open > 0 {
                parts.push(Part::Text(rest[..open].to_owned()));
            }
            parts.push(Part::Member(name.to_owned()));
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Self(parts))
    }

    /// The members it takes from the input, in order.
    pub(super) fn members(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            Part::Member(name) => Some(name.as_str()),
            Part::Text(_) => None,
        })
    }

    /// The only member, when the template is nothing but that one hole.
    pub(super) fn sole(&self) -> Option<&str> {
        match self.0.as_slice() {
            [Part::Member(name)] => Some(name),
            _ => None,
        }
    }

    /// Fills the holes from `input`, each value written through `encode`.
    pub(super) fn fill<'a>(
        &'a self,
        input: &Map<String, Value>,
        encode: fn(&str, &mut String),
    ) -> Result<String, Gap<'a>> {
        let mut filled = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => filled.push_str(text),
                Part::Member(name) => encode(&scalar(name, input)?, &mut filled),
            }
        }
        Ok(filled)
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
}

fn scalar<'a>(name: &'a str, input: &Map<String, Value>) -> Result<String, Gap<'a>> {
    let text = match input.get(name) {
        None | Some(Value::Null) => return Err(Gap::Absent(name)),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::Bool(flag)) => flag.to_string(),
        Some(Value::Array(_) | Value::Object(_)) => {
            return Err(Gap::Unfit(name, "must be text, a number or true/false"));
        }
    };
    match text.len() {
        0 => Err(Gap::Unfit(name, "must not be empty")),
        1..=LONGEST => Ok(text),
        _ => Err(Gap::Unfit(name, "must be at most 2048 bytes long")),
    }
}

/// Writes `text` as it is.
pub(super) fn plain(text: &str, into: &mut String) {
    into.push_str(text);
}
