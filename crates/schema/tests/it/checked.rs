//! What a value is told.

use schema::{Breach, FORMATS, Schema};
use serde_json::{Value, json};

use crate::compiled;

fn breach(schema: &Value, value: &Value) -> (String, String) {
    let Breach { pointer, says } = compiled(schema).check(value).unwrap_err();
    (pointer, says)
}

#[test]
fn anything_fits_the_schema_that_says_nothing() {
    for schema in [Schema::any(), Schema::default(), compiled(&json!(true)), compiled(&json!({}))] {
        assert_eq!(schema.check(&json!({ "a": [1, null] })), Ok(()));
    }
    assert_eq!(Schema::any(), compiled(&json!(true)));
}

#[test]
fn a_breach_is_named_with_its_place_and_without_the_value() {
    let schema = json!({
        "type": "object",
        "required": ["items"],
        "properties": {
            "items": { "type": "array", "items": { "$ref": "#/$defs/item" } },
            "mail": { "format": "email" },
            "code": { "pattern": "^[A-Z]{3}$" },
        },
        "additionalProperties": false,
        "$defs": { "item": { "type": "object", "properties": { "quantity": { "type": "integer", "minimum": 1 } } } },
    });
    let cases = [
        (json!({}), "", "lacks the member `items`"),
        (json!({ "items": [], "x": 1 }), "", "has no place for the member `x`"),
        (json!({ "items": [{ "quantity": 0 }] }), "/items/0/quantity", "must be at least 1"),
        (json!({ "items": [{ "quantity": "hunter2" }] }), "/items/0/quantity", "must be integer"),
        (json!({ "items": [], "mail": "hunter2" }), "/mail", "must be a valid email"),
        (json!({ "items": [], "code": "hunter2" }), "/code", "must match \"^[A-Z]{3}$\""),
    ];
    for (value, pointer, says) in cases {
        assert_eq!(breach(&schema, &value), (pointer.to_owned(), says.to_owned()), "{value}");
    }
}

/// A sum of money is compared by its digits, not as a double.
#[test]
fn numbers_are_compared_exactly() {
    let cents = compiled(&json!({ "multipleOf": json::parse(b"0.01", 1).unwrap() }));
    for (text, fits) in
        [("19.99", true), ("1234567890123456.01", true), ("0.001", false), ("1234567890123456.001", false)]
    {
        assert_eq!(cents.check(&json::parse(text.as_bytes(), 1).unwrap()).is_ok(), fits, "{text}");
    }
    let most = compiled(&json!({ "maximum": 9_007_199_254_740_992_u64 }));
    assert!(most.check(&json!(9_007_199_254_740_993_u64)).is_err());
}

#[test]
fn every_format_that_is_named_is_enforced() {
    for format in FORMATS {
        let schema = compiled(&json!({ "format": format }));
        assert!(schema.check(&json!("\u{0}[ \\")).is_err(), "{format}");
    }
}

#[test]
fn a_long_name_is_cut() {
    let schema = json!({ "additionalProperties": { "type": "null" } });
    let (pointer, _) = breach(&schema, &json!({ "n".repeat(10_000): 1 }));
    assert_eq!(pointer.chars().count(), 200);
}
