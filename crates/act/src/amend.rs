//! What `append` and `merge` do to a field that is already held, in place: at the cost of what is added.

use serde_json::Value;

use crate::operate::{OpError, lay_over, wrong};
use crate::{Map, Operation};

/// Whether [`crate::apply`] could lay `value` onto the field; for `append` and `merge`, without making the result.
pub fn may_amend(current: Option<&Value>, operation: Operation, value: &Value) -> Result<(), OpError> {
    let current = current.filter(|value| !value.is_null());
    match (operation, current, value) {
        (Operation::Append, None | Some(Value::Array(_)), _)
        | (Operation::Append, Some(Value::String(_)), Value::String(_))
        | (Operation::Merge, None | Some(Value::Object(_)), Value::Object(_)) => Ok(()),
        (Operation::Append, ..) => Err(wrong(operation, "an array, or two texts")),
        (Operation::Merge, ..) => Err(wrong(operation, "objects")),
        _ => crate::apply(current, operation, value).map(|_| ()),
    }
}

/// Does `append` or `merge` to a field in place. What [`may_amend`] refuses changes nothing.
pub fn amend(fields: &mut Map, field: &str, operation: Operation, value: &Value) {
    let held = fields.entry(field).or_insert(Value::Null);
    match (operation, held, value) {
        (Operation::Append, Value::Array(items), item) => items.push(item.clone()),
        (Operation::Append, Value::String(head), Value::String(tail)) => head.push_str(tail),
        (Operation::Append, held @ Value::Null, item) => *held = Value::Array(vec![item.clone()]),
        (Operation::Merge, Value::Object(under), Value::Object(over)) => lay_over(under, over),
        (Operation::Merge, held @ Value::Null, Value::Object(over)) => *held = Value::Object(over.clone()),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// In place comes to the same as anew, and is refused where that is.
    #[test]
    fn in_place_is_as_anew() {
        let values =
            [json!(null), json!([1]), json!("a"), json!({"x": {"y": 1}}), json!(3), json!({"x": {"z": []}})];
        for operation in [Operation::Append, Operation::Merge] {
            for (held, value) in values.iter().flat_map(|held| values.iter().map(move |value| (held, value)))
            {
                let anew = crate::apply(Some(held), operation, value);
                assert_eq!(
                    may_amend(Some(held), operation, value).err(),
                    anew.clone().err(),
                    "{held} {value}"
                );
                let mut fields = Map::from_iter([("f".to_owned(), held.clone())]);
                amend(&mut fields, "f", operation, value);
                assert_eq!(fields["f"], anew.map_or(held.clone(), |anew| anew.unwrap()), "{held} {value}");
            }
        }
    }

    #[test]
    fn a_missing_field_begins() {
        let mut fields = Map::new();
        amend(&mut fields, "list", Operation::Append, &json!("a"));
        amend(&mut fields, "object", Operation::Merge, &json!({"a": 1}));
        assert_eq!(Value::Object(fields), json!({"list": ["a"], "object": {"a": 1}}));
    }
}
