//! What a schema may not be: the cost of a check is known before the first one.

use std::fmt::Write as _;

use schema::{DEEPEST, MOST};
use serde_json::{Value, json};

use crate::{compiled, mistakes};

fn refused(document: &Value, pointer: &str, says: &str) {
    let found = mistakes(document);
    assert_eq!(found[0].0, pointer, "{found:?}");
    assert!(found[0].1.contains(says), "{found:?}");
}

#[test]
fn what_is_not_enforced_is_refused_where_it_stands() {
    refused(&json!("string"), "", "not a JSON Schema");
    refused(&json!({ "requried": ["a"] }), "/requried", "no keyword");
    refused(
        &json!({ "properties": { "a/b": { "nullable": true } } }),
        "/properties/a~1b/nullable",
        "no keyword",
    );
    refused(&json!({ "format": "int64" }), "/format", "not known");
    refused(&json!({ "$schema": "http://json-schema.org/draft-04/schema#" }), "/$schema", "dialect");
    refused(&json!({ "$id": "https://example.com/a" }), "/$id", "no keyword");
    refused(&json!({ "$defs": { "a": { "tpye": "null" } } }), "/$defs/a/tpye", "no keyword");
    refused(&json!({ "items": { "type": "strin" } }), "/items/type", "");
    refused(&json!({ "items": { "minimum": "1" } }), "/items/minimum", "must be number");
    refused(&json!({ "anyOf": {} }), "/anyOf", "must be array");
    compiled(&json!({ "x-owner": "sales", "properties": { "nullable": { "const": { "$ref": "x" } } } }));
}

#[test]
fn every_mistake_is_found_at_once() {
    let found = mistakes(&json!({ "a": 1, "items": { "b": 1, "format": "no" } }));
    assert_eq!(found.len(), 3, "{found:?}");
}

#[test]
fn references_stay_inside_and_never_come_back() {
    for outside in ["https://example.com/s.json", "other.json#/a", "file:///etc/passwd", ""] {
        refused(&json!({ "items": { "$ref": outside } }), "/items/$ref", "out of the schema");
    }
    refused(&json!({ "$ref": 1 }), "/$ref", "out of the schema");
    refused(&json!({ "$ref": "#/$defs/none" }), "/$ref", "nowhere");
    refused(&json!({ "$ref": "#anchor" }), "/$ref", "nowhere");
    refused(&json!({ "$ref": "#" }), "/$ref", "itself");
    let tree = json!({
        "$ref": "#/$defs/node",
        "$defs": { "node": { "properties": { "children": { "items": { "$ref": "#/$defs/node" } } } } },
    });
    assert!(mistakes(&tree).iter().any(|(_, says)| says.contains("itself")));
    let shared = json!({
        "properties": { "a": { "$ref": "#/$defs/id" }, "b": { "$ref": "#/$defs/id" } },
        "$defs": { "id": { "type": "string" } },
    });
    assert!(compiled(&shared).check(&json!({ "a": "1", "b": 2 })).is_err());
}

/// Ten definitions, each of which refers ten times to the next, are ten thousand millions.
#[test]
fn a_schema_that_unfolds_is_counted_written_out() {
    let mut definitions = serde_json::Map::new();
    for at in 0..10 {
        let next: Vec<_> = (0..10).map(|_| json!({ "$ref": format!("#/$defs/d{}", at + 1) })).collect();
        definitions.insert(format!("d{at}"), json!({ "allOf": next }));
    }
    definitions.insert("d10".to_owned(), json!({ "type": "string" }));
    refused(&json!({ "$ref": "#/$defs/d0", "$defs": definitions }), "", &format!("more than {MOST} schemas"));
}

#[test]
fn a_schema_is_not_deep_also_where_references_lead() {
    let mut deep = json!({ "type": "string" });
    for _ in 0..DEEPEST + 1 {
        deep = json!({ "items": deep });
    }
    assert!(mistakes(&deep)[0].1.contains("deep"));
    let mut definitions = serde_json::Map::new();
    for at in 0..500 {
        definitions.insert(format!("d{at}"), json!({ "items": { "$ref": format!("#/$defs/d{}", at + 1) } }));
    }
    definitions.insert("d500".to_owned(), json!(true));
    assert!(
        mistakes(&json!({ "$ref": "#/$defs/d0", "$defs": definitions })).iter().any(|m| m.1.contains("deep"))
    );
}

#[test]
fn a_schema_is_not_long() {
    let mut long = String::new();
    for at in 0..10_000 {
        write!(long, "member-{at} ").unwrap();
    }
    refused(&json!({ "description": long }), "", "longer than");
}

/// Patterns are matched by an engine that does not go back: what such an engine cannot do is refused, and what makes others
/// take for ever takes no time.
#[test]
fn patterns_have_a_cost_that_is_known() {
    assert!(!mistakes(&json!({ "pattern": "(?=a)b" })).is_empty(), "look-around");
    assert!(!mistakes(&json!({ "pattern": "(a)\\1" })).is_empty(), "back-reference");
    assert!(!mistakes(&json!({ "pattern": "(((a{100}){100}){100}){100}" })).is_empty(), "too large");
    let slow = compiled(&json!({ "pattern": "^(a+)+$" }));
    assert!(slow.check(&json!(format!("{}b", "a".repeat(50_000)))).is_err());
}
