//! JSON into values: read by `json`, told as issues.

use serde_json::Value;

use crate::issue::Issue;

pub use json::MAX_DEPTH;

/// Reads one JSON document: no member twice, no number that would change. Its size is the caller's to bound.
pub fn parse_json(bytes: &[u8]) -> Result<Value, Issue> {
    parse_within(bytes, MAX_DEPTH)
}

pub(crate) fn parse_within(bytes: &[u8], depth: usize) -> Result<Value, Issue> {
    json::parse(bytes, depth).map_err(|json::Mistake { pointer, code, message }| Issue {
        pointer,
        code,
        message,
    })
}

/// The first value that stands deeper than allowed, for documents that were not read here.
pub(crate) fn too_deep(value: &Value, depth: usize) -> Option<Issue> {
    match value {
        Value::Array(_) | Value::Object(_) if depth == 0 => Some(deep()),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .find_map(|(i, item)| Some(under(&i.to_string(), too_deep(item, depth - 1)?))),
        Value::Object(map) => map.iter().find_map(|(k, item)| Some(under(k, too_deep(item, depth - 1)?))),
        _ => None,
    }
}

fn deep() -> Issue {
    let message = format!("expected at most {MAX_DEPTH} levels of objects and arrays");
    Issue { pointer: String::new(), code: json::code::DEPTH, message }
}

fn under(token: &str, issue: Issue) -> Issue {
    let mut pointer = String::new();
    json::push_token(&mut pointer, token);
    Issue { pointer: pointer + &issue.pointer, ..issue }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_read_here_is_measured() {
        let nest = format!("{}1{}", r#"{"a":["#.repeat(32), "]}".repeat(32));
        let value = parse_json(nest.as_bytes()).unwrap();
        assert_eq!(too_deep(&value, MAX_DEPTH), None);
        let found = too_deep(&value, MAX_DEPTH - 1).expect("one level less");
        assert_eq!((found.pointer, found.code), ("/a/0".repeat(31) + "/a", json::code::DEPTH));
    }

    #[test]
    fn a_mistake_becomes_an_issue() {
        let issue = parse_json(br#"{"value":1e999}"#).unwrap_err();
        assert_eq!((issue.pointer.as_str(), issue.code), ("/value", "json.number"));
    }
}
