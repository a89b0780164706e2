//! What a fact does to a field.
//!
//! Sums are decimal: 0.1 + 0.2 is 0.3, and a sum of more than 28 significant digits is refused rather than rounded.

use std::fmt;

use rust_decimal::Decimal;
use serde_json::{Number, Value};

use crate::{Map, Operation, Word as _};

/// Why an operation cannot be done to a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpError {
    /// The field, or the value, has the wrong type for the operation.
    Type {
        /// The operation.
        operation: Operation,
        /// What would be right.
        expected: &'static str,
    },
    /// The result cannot be held exactly.
    Inexact {
        /// The operation.
        operation: Operation,
    },
}

impl OpError {
    /// A stable word for machines.
    pub fn code(&self) -> &'static str {
        match self {
            OpError::Type { .. } => "operation.type",
            OpError::Inexact { .. } => "operation.inexact",
        }
    }
}

impl fmt::Display for OpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OpError::Type { operation, expected } => write!(f, "{}: expected {expected}", operation.as_str()),
            OpError::Inexact { operation } => {
                write!(f, "{}: expected a result that can be held exactly", operation.as_str())
            }
        }
    }
}

impl std::error::Error for OpError {}

/// The field's value after the operation; `None` when the field is gone. A field that is absent or null counts as
/// missing: 0 for sums, empty for `append` and `merge`.
///
/// - `append` adds one item to an array, joins two texts, and makes an array when the field is missing.
/// - `increment` and `decrement` add and subtract numbers.
/// - `merge` lays an object over an object, object members likewise; a null member is a null, not a removal.
/// - `delete` does not look at the value.
pub fn apply(current: Option<&Value>, operation: Operation, value: &Value) -> Result<Option<Value>, OpError> {
    let current = current.filter(|value| !value.is_null());
    match operation {
        Operation::Set => Ok(Some(value.clone())),
        Operation::Delete => Ok(None),
        Operation::Append => append(current, value).map(Some),
        Operation::Increment | Operation::Decrement => sum(current, operation, value).map(Some),
        Operation::Merge => merged(current, value).map(Some),
    }
}

fn append(current: Option<&Value>, value: &Value) -> Result<Value, OpError> {
    match (current, value) {
        (None, item) => Ok(Value::Array(vec![item.clone()])),
        (Some(Value::Array(items)), item) => {
            Ok(Value::Array(items.iter().chain(std::iter::once(item)).cloned().collect()))
        }
        (Some(Value::String(head)), Value::String(tail)) => Ok(Value::String(format!("{head}{tail}"))),
        _ => Err(wrong(Operation::Append, "an array, or two texts")),
    }
}

fn sum(current: Option<&Value>, operation: Operation, value: &Value) -> Result<Value, OpError> {
    let expected = || wrong(operation, "numbers");
    let zero = Number::from(0);
    let held = match current {
        None => &zero,
        Some(value) => number(value).ok_or_else(expected)?,
    };
    let change = number(value).ok_or_else(expected)?;
    let inexact = || OpError::Inexact { operation };
    let (left, right) =
        (json::decimal(held).ok_or_else(inexact)?, json::decimal(change).ok_or_else(inexact)?);
    let total = match operation {
        Operation::Decrement => json::subtract(left, right),
        _ => json::add(left, right),
    };
    let whole = !held.is_f64() && !change.is_f64();
    total.and_then(|total| to_number(total, whole)).map(Value::Number).ok_or_else(inexact)
}

fn number(value: &Value) -> Option<&Number> {
    match value {
        Value::Number(number) => Some(number),
        _ => None,
    }
}

/// The JSON number of a sum: whole when both its parts were.
fn to_number(total: Decimal, whole: bool) -> Option<Number> {
    let number = json::from_decimal(total)?;
    if whole || number.is_f64() { Some(number) } else { json::exact(&format!("{number}.0")) }
}

fn merged(current: Option<&Value>, value: &Value) -> Result<Value, OpError> {
    match (current, value) {
        (None, Value::Object(over)) => Ok(Value::Object(over.clone())),
        (Some(Value::Object(under)), Value::Object(over)) => {
            let mut out = under.clone();
            lay_over(&mut out, over);
            Ok(Value::Object(out))
        }
        _ => Err(wrong(Operation::Merge, "objects")),
    }
}

pub(crate) fn lay_over(under: &mut Map, over: &Map) {
    for (name, value) in over {
        match (under.get_mut(name), value) {
            (Some(Value::Object(inner)), Value::Object(more)) => lay_over(inner, more),
            _ => {
                under.insert(name.clone(), value.clone());
            }
        }
    }
}

pub(crate) fn wrong(operation: Operation, expected: &'static str) -> OpError {
    OpError::Type { operation, expected }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn done(current: &Value, operation: Operation, value: &Value) -> Value {
        apply(Some(current), operation, value).expect("can be done").expect("is there")
    }

    fn fails(current: &Value, operation: Operation, value: &Value) -> &'static str {
        apply(Some(current), operation, value).expect_err("cannot be done").code()
    }

    #[test]
    fn cents_are_kept() {
        assert_eq!(done(&json!(0.1), Operation::Increment, &json!(0.2)), json!(0.3));
        assert_eq!(done(&json!(1.1), Operation::Decrement, &json!(1)), json!(0.1));
        assert_eq!(done(&json!(19.99), Operation::Increment, &json!(5e-3)), json!(19.995));
        let mut total = json!(0);
        for _ in 0..1000 {
            total = done(&total, Operation::Increment, &json!(0.01));
        }
        assert_eq!(total, json!(10.0));
    }

    #[test]
    fn whole_numbers_stay_whole() {
        assert_eq!(done(&json!(3), Operation::Increment, &json!(2)).to_string(), "5");
        assert_eq!(done(&json!(3), Operation::Decrement, &json!(5)).to_string(), "-2");
        assert_eq!(done(&json!(3), Operation::Increment, &json!(2.0)).to_string(), "5.0");
        assert_eq!(done(&json!(i64::MAX), Operation::Increment, &json!(1)), json!(1u64 << 63));
        assert_eq!(
            done(&json!(u64::MAX), Operation::Increment, &json!(1)).to_string(),
            "18446744073709551616"
        );
        let fine = done(&json!(9_007_199_254_740_993_u64), Operation::Increment, &json!(0.01));
        assert_eq!(fine.to_string(), "9007199254740993.01");
        assert_eq!(apply(None, Operation::Decrement, &json!(2)), Ok(Some(json!(-2))));
        assert_eq!(done(&Value::Null, Operation::Increment, &json!(2)), json!(2));
    }

    #[test]
    fn what_cannot_be_held_is_refused() {
        for (held, change) in [
            (json!(9_999_999_999_999_999_999_999_999_999_u128), json!(2)),
            (json!(1e300), json!(1)),
            (json!(1_000_000_000_000_000_000_000_000_000_u128), json!(0.01)),
            (json!(1e-30), json!(1)),
        ] {
            assert_eq!(fails(&held, Operation::Increment, &change), "operation.inexact", "{held} + {change}");
        }
        assert_eq!(fails(&json!("3"), Operation::Increment, &json!(1)), "operation.type");
        assert_eq!(fails(&json!(3), Operation::Increment, &json!(true)), "operation.type");
    }

    #[test]
    fn append_pushes_joins_or_begins() {
        assert_eq!(done(&json!([1]), Operation::Append, &json!([2])), json!([1, [2]]));
        assert_eq!(done(&json!("a"), Operation::Append, &json!("b")), json!("ab"));
        assert_eq!(apply(None, Operation::Append, &json!("b")), Ok(Some(json!(["b"]))));
        assert_eq!(fails(&json!("a"), Operation::Append, &json!(1)), "operation.type");
        assert_eq!(fails(&json!({}), Operation::Append, &json!(1)), "operation.type");
    }

    #[test]
    fn merge_is_deep_and_null_is_a_value() {
        let held = json!({"a": {"x": 1, "y": 2}, "b": [1], "c": 1});
        let over = json!({"a": {"y": null}, "b": [2], "d": {}});
        let after = json!({"a": {"x": 1, "y": null}, "b": [2], "c": 1, "d": {}});
        assert_eq!(done(&held, Operation::Merge, &over), after);
        assert_eq!(apply(None, Operation::Merge, &over), Ok(Some(over.clone())));
        assert_eq!(fails(&json!([]), Operation::Merge, &over), "operation.type");
        assert_eq!(fails(&held, Operation::Merge, &json!(1)), "operation.type");
    }

    #[test]
    fn delete_does_not_look() {
        assert_eq!(apply(Some(&json!(1)), Operation::Delete, &json!("x")), Ok(None));
        assert_eq!(apply(None, Operation::Delete, &Value::Null), Ok(None));
        assert_eq!(apply(None, Operation::Set, &Value::Null), Ok(Some(Value::Null)));
    }
}
