//! JSON into values, with bounds: depth, no member named twice, no number that would become another.
//!
//! `serde_json` lets the last of two equal names win without a word; two readers of one act could then see two
//! different speakers. So it is refused here, with the pointer of the second.

use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::number::{self, EXPECTED};

/// How many objects and arrays may stand inside one another in what is sent to us.
pub const MAX_DEPTH: usize = 64;

/// The stable codes of mistakes.
pub mod code {
    /// The text is not one JSON document.
    pub const SYNTAX: &str = "json.syntax";
    /// Objects and arrays stand too deep in one another.
    pub const DEPTH: &str = "json.depth";
    /// A member is named twice.
    pub const REPEATED: &str = "json.repeated_member";
    /// A number cannot be kept exactly.
    pub const NUMBER: &str = "json.number";
    /// A member has a name that the JSON library keeps for itself.
    pub const RESERVED: &str = "json.reserved_member";
}

/// Why a text was not read, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// RFC 6901 pointer to the value at fault; empty when the text is no JSON.
    pub pointer: String,
    /// One of [`code`].
    pub code: &'static str,
    /// A sentence for people: lowercase, says what would be right.
    pub message: String,
}

/// Reads one JSON document of at most `depth` levels. Its size is the caller's to bound.
pub fn parse(bytes: &[u8], depth: usize) -> Result<Value, Mistake> {
    let fault = RefCell::new(None);
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let read = Seed { left: depth, depth, fault: &fault }.deserialize(&mut reader).and_then(|value| {
        reader.end()?;
        Ok(value)
    });
    read.map_err(|error| fault.take().map_or_else(|| syntax(&error), Fault::into_mistake))
}

/// Whether the JSON library would read a member of this name as something else.
pub fn is_reserved(name: &str) -> bool {
    name.starts_with("$serde_json::private::")
}

/// Adds one reference token to a pointer, escaped as RFC 6901 has it.
pub fn push_token(pointer: &mut String, token: &str) {
    pointer.push('/');
    for letter in token.chars() {
        match letter {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            other => pointer.push(other),
        }
    }
}

fn syntax(error: &serde_json::Error) -> Mistake {
    let message = format!("expected one JSON document: {error}");
    Mistake { pointer: String::new(), code: code::SYNTAX, message }
}

/// A fault of our own, and the way down to it, deepest step first.
struct Fault {
    code: &'static str,
    message: String,
    steps: Vec<String>,
}

impl Fault {
    fn into_mistake(self) -> Mistake {
        let mut pointer = String::new();
        self.steps.iter().rev().for_each(|step| push_token(&mut pointer, step));
        Mistake { pointer, code: self.code, message: self.message }
    }
}

#[derive(Clone, Copy)]
struct Seed<'f> {
    /// Levels that may still be entered, of all that may.
    left: usize,
    depth: usize,
    fault: &'f RefCell<Option<Fault>>,
}

impl Seed<'_> {
    fn fail<E: Error>(self, code: &'static str, message: impl Into<String>, step: Option<String>) -> E {
        let steps = step.into_iter().collect();
        *self.fault.borrow_mut() = Some(Fault { code, message: message.into(), steps });
        E::custom(code)
    }

    fn deeper<E: Error>(self) -> Result<Self, E> {
        match self.left.checked_sub(1) {
            Some(left) => Ok(Self { left, ..self }),
            None => {
                let message = format!("expected at most {} levels of objects and arrays", self.depth);
                Err(self.fail(code::DEPTH, message, None))
            }
        }
    }

    /// Remembers on the way up which step led to a fault of ours.
    fn step<T, E>(self, read: Result<T, E>, name: impl FnOnce() -> String) -> Result<T, E> {
        read.inspect_err(|_| {
            if let Some(fault) = &mut *self.fault.borrow_mut() {
                fault.steps.push(name());
            }
        })
    }

    fn number<E: Error>(self, text: &str) -> Result<Value, E> {
        number::exact(text).map(Value::Number).ok_or_else(|| self.fail(code::NUMBER, EXPECTED, None))
    }

    /// What stands under a reserved name: a number, when the library says so, else a member that somebody wrote.
    fn reserved<'de, A: MapAccess<'de>>(self, name: String, members: &mut A) -> Result<Value, A::Error> {
        match members.next_value_seed(Token)? {
            Some(text) => self.number(&text),
            None => {
                let message = "expected a name that does not begin with $serde_json::private::";
                Err(self.fail(code::RESERVED, message, Some(name)))
            }
        }
    }

    fn check_name<E: Error>(self, name: &str, known: &Map<String, Value>) -> Result<(), E> {
        if is_reserved(name) {
            let message = "expected a name that does not begin with $serde_json::private::";
            return Err(self.fail(code::RESERVED, message, Some(name.to_owned())));
        }
        if known.contains_key(name) {
            let message = "expected each member once, found the name a second time";
            return Err(self.fail(code::REPEATED, message, Some(name.to_owned())));
        }
        Ok(())
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

    fn visit_f64<E: Error>(self, float: f64) -> Result<Value, E> {
        self.number(&float.to_string())
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
        let mut map = Map::new();
        let mut name = members.next_key::<String>()?;
        if let Some(first) = name.take_if(|name| is_reserved(name)) {
            return self.reserved(first, &mut members);
        }
        let inner = self.deeper()?;
        while let Some(this) = name {
            self.check_name(&this, &map)?;
            let value = self.step(members.next_value_seed(inner), || this.clone())?;
            map.insert(this, value);
            name = members.next_key()?;
        }
        Ok(Value::Object(map))
    }
}

/// Tells a number, which the library hands over as text that it owns, from text that stands in the document.
struct Token;

impl<'de> DeserializeSeed<'de> for Token {
    type Value = Option<String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<String>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Token {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number")
    }

    fn visit_string<E>(self, text: String) -> Result<Option<String>, E> {
        Ok(Some(text))
    }

    fn visit_str<E>(self, _: &str) -> Result<Option<String>, E> {
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> (String, &'static str) {
        let mistake = parse(text.as_bytes(), MAX_DEPTH).expect_err(text);
        (mistake.pointer, mistake.code)
    }

    #[test]
    fn depth_is_bounded_and_located() {
        let nest = |n: usize| format!("{}1.5{}", r#"{"a":["#.repeat(n), "]}".repeat(n));
        assert!(parse(nest(32).as_bytes(), MAX_DEPTH).is_ok());
        assert_eq!(refused(&nest(33)), ("/a/0".repeat(32), code::DEPTH));
        assert_eq!(refused(&"[".repeat(100_000)).1, code::DEPTH);
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
    fn a_number_is_kept_or_refused_where_it_stands() {
        let read = |text: &str| parse(text.as_bytes(), MAX_DEPTH).map(|value| value.to_string());
        let text = "[0,-0,1.10,-1,1e2,18446744073709551616,31415926535897932.38]";
        assert_eq!(read(text).as_deref(), Ok("[0,0,1.1,-1,100.0,18446744073709551616,31415926535897932.38]"));
        for number in ["12345678901234567890123456789", "-1e999", "7.0000000000000000000000000003"] {
            assert_eq!(refused(number), (String::new(), code::NUMBER));
            assert_eq!(refused(&format!(r#"{{"a":[1,{number}]}}"#)), ("/a/1".to_owned(), code::NUMBER));
        }
    }

    #[test]
    fn names_of_the_library_are_nobodys() {
        for name in ["$serde_json::private::Number", "$serde_json::private::RawValue"] {
            for value in ["\"1\"", "\"\\u0031\"", "1", "[]", "null", "{}"] {
                let first = format!(r#"{{"x":{{"{name}":{value}}}}}"#);
                assert!(parse(first.as_bytes(), MAX_DEPTH).is_err(), "{first}");
            }
            assert_eq!(
                refused(&format!(r#"{{"x":{{"{name}":"1"}}}}"#)),
                (format!("/x/{name}"), code::RESERVED)
            );
            assert_eq!(refused(&format!(r#"{{"a":1,"{name}":"1"}}"#)), (format!("/{name}"), code::RESERVED));
        }
    }

    #[test]
    fn one_document_and_nothing_else() {
        for text in ["", "{", "nul", "{} {}", "[1,]", "\u{feff}{}", "NaN", "'a'", "01", "1.", "-", "1e"] {
            assert_eq!(refused(text), (String::new(), code::SYNTAX), "{text:?}");
        }
        for text in [r#""\ud800""#, r#""\ud83d x""#, r#"{"\udc00":1}"#] {
            assert_eq!(refused(text).1, code::SYNTAX, "half of a pair: {text}");
        }
        assert!(parse(b"{\"a\":\"\xff\"}", MAX_DEPTH).is_err());
    }

    #[test]
    fn reads_as_serde_json_does() {
        let text = r#" {"a":[null,true,-1,18446744073709551615,1.0,2.5,"\u00e9\n"],"b":{"":{}}} "#;
        assert_eq!(parse(text.as_bytes(), MAX_DEPTH).ok(), serde_json::from_str::<Value>(text).ok());
    }
}
