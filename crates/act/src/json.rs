//! JSON into values, with bounds: depth, and no member named twice.
//!
//! `serde_json` lets the last of two equal names win without a word; two readers of one act could then see two
//! different speakers. So it is refused here, with the pointer of the second.

use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value};

use crate::Map;
use crate::issue::{Issue, code, push_token};

/// How many objects and arrays may stand inside one another.
pub const MAX_DEPTH: usize = 64;

/// Reads one JSON document. Its size is the caller's to bound.
pub fn parse_json(bytes: &[u8]) -> Result<Value, Issue> {
    parse_within(bytes, MAX_DEPTH)
}

pub(crate) fn parse_within(bytes: &[u8], depth: usize) -> Result<Value, Issue> {
    let fault = RefCell::new(None);
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let read = Seed { depth, fault: &fault }.deserialize(&mut reader).and_then(|value| {
        reader.end()?;
        Ok(value)
    });
    read.map_err(|error| fault.take().map_or_else(|| syntax(&error), Fault::into_issue))
}

/// The first value that stands deeper than allowed, for documents that were not read here.
pub(crate) fn too_deep(value: &Value, depth: usize) -> Option<Issue> {
    match value {
        Value::Array(_) | Value::Object(_) if depth == 0 => Some(Fault::deep().into_issue()),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .find_map(|(i, item)| Some(under(&i.to_string(), too_deep(item, depth - 1)?))),
        Value::Object(map) => map.iter().find_map(|(k, item)| Some(under(k, too_deep(item, depth - 1)?))),
        _ => None,
    }
}

fn under(token: &str, issue: Issue) -> Issue {
    let mut pointer = String::new();
    push_token(&mut pointer, token);
    Issue { pointer: pointer + &issue.pointer, ..issue }
}

fn syntax(error: &serde_json::Error) -> Issue {
    let message = format!("expected one JSON document: {error}");
    Issue { pointer: String::new(), code: code::SYNTAX, message }
}

/// A fault of our own, and the way down to it, deepest step first.
struct Fault {
    code: &'static str,
    message: String,
    steps: Vec<String>,
}

impl Fault {
    fn deep() -> Self {
        let message = format!("expected at most {MAX_DEPTH} levels of objects and arrays");
        Self { code: code::DEPTH, message, steps: Vec::new() }
    }

    fn into_issue(self) -> Issue {
        let mut pointer = String::new();
        self.steps.iter().rev().for_each(|step| push_token(&mut pointer, step));
        Issue { pointer, code: self.code, message: self.message }
    }
}

#[derive(Clone, Copy)]
struct Seed<'f> {
    depth: usize,
    fault: &'f RefCell<Option<Fault>>,
}

impl Seed<'_> {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        let Some(depth) = self.depth.checked_sub(1) else {
            *self.fault.borrow_mut() = Some(Fault::deep());
            return Err(E::custom("too deep"));
        };
        Ok(Self { depth, ..self })
    }

    /// Remembers on the way up which step led to a fault of ours.
    fn step<T, E>(self, read: Result<T, E>, name: impl FnOnce() -> String) -> Result<T, E> {
        read.inspect_err(|_| {
            if let Some(fault) = &mut *self.fault.borrow_mut() {
                fault.steps.push(name());
            }
        })
    }

    fn repeated<E: Error>(self, name: String) -> E {
        let message = "expected each member once, found the name a second time".to_owned();
        *self.fault.borrow_mut() = Some(Fault { code: code::REPEATED, message, steps: vec![name] });
        E::custom("repeated member")
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Bool(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Number::from_f64(number).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Value::String(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut list = Vec::new();
        while let Some(item) = self.step(items.next_element_seed(inner), || list.len().to_string())? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut map = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if map.contains_key(&name) {
                return Err(self.repeated(name));
            }
            let value = self.step(members.next_value_seed(inner), || name.clone())?;
            map.insert(name, value);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> (String, &'static str) {
        let issue = parse_json(text.as_bytes()).expect_err(text);
        (issue.pointer, issue.code)
    }

    #[test]
    fn depth_is_bounded_and_located() {
        let nest = |n: usize| format!("{}1{}", r#"{"a":["#.repeat(n), "]}".repeat(n));
        let value = parse_json(nest(32).as_bytes()).unwrap();
        assert_eq!(too_deep(&value, MAX_DEPTH), None);
        let (pointer, code) = refused(&nest(33));
        assert_eq!((pointer.as_str(), code), ("/a/0".repeat(32).as_str(), code::DEPTH));
        assert_eq!(refused(&"[".repeat(100_000)).1, code::DEPTH);
        let found = too_deep(&value, MAX_DEPTH - 1).expect("one level less");
        assert_eq!((found.pointer, found.code), ("/a/0".repeat(31) + "/a", code::DEPTH));
    }

    #[test]
    fn a_member_is_named_once() {
        assert_eq!(refused(r#"{"a":{"x":1},"a":2}"#), ("/a".to_owned(), code::REPEATED));
        assert_eq!(
            refused(r#"{"l":[0,{"m/~":{"b":1,"\u0062":2}}]}"#),
            ("/l/1/m~1~0/b".to_owned(), code::REPEATED)
        );
    }

    #[test]
    fn one_document_and_nothing_else() {
        for text in ["", "{", "nul", "{} {}", "[1,]", "{\"a\":1e999}", "\u{feff}{}", "NaN", "'a'"] {
            assert_eq!(refused(text), (String::new(), code::SYNTAX), "{text:?}");
        }
        assert!(parse_json(b"{\"a\":\"\xff\"}").is_err());
    }

    #[test]
    fn reads_as_serde_json_does() {
        let text = r#" {"a":[null,true,-1,18446744073709551615,1.0,2e0,"\u00e9\n"],"b":{"":{}}} "#;
        assert_eq!(parse_json(text.as_bytes()).unwrap(), serde_json::from_str::<Value>(text).unwrap());
    }
}
