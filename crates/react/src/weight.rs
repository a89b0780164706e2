//! How much a value weighs: about as many bytes as its JSON has.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// The bytes of a value's JSON, give or take its escapes and the digits of its numbers.
pub(crate) fn weight(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) => 5,
        Value::Number(_) => 12,
        Value::String(text) => text.len() + 2,
        Value::Array(items) => 2 + items.iter().map(|item| weight(item) + 1).sum::<usize>(),
        Value::Object(members) => {
            2 + members.iter().map(|(name, value)| name.len() + 4 + weight(value)).sum::<usize>()
        }
    }
}

/// Whether a value weighs at most so much. Looks at no more of it than that.
pub(crate) fn is_light(value: &Value, most: usize) -> bool {
    fn rest(value: &Value, left: usize) -> Option<usize> {
        match value {
            Value::Null | Value::Bool(_) => left.checked_sub(5),
            Value::Number(_) => left.checked_sub(12),
            Value::String(text) => left.checked_sub(text.len() + 2),
            Value::Array(items) => {
                items.iter().try_fold(left.checked_sub(2)?, |left, item| rest(item, left.checked_sub(1)?))
            }
            Value::Object(members) => members.iter().try_fold(left.checked_sub(2)?, |left, (name, item)| {
                rest(item, left.checked_sub(name.len() + 4)?)
            }),
        }
    }
    rest(value, most).is_some()
}

/// What the fields of an entity weigh, so that nobody has to weigh them again for each act. It follows from the
/// fields, so it is neither stored nor compared.
#[derive(Clone, Debug, Default)]
pub(crate) struct Weights {
    fields: BTreeMap<String, usize>,
    total: usize,
}

impl PartialEq for Weights {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Weights {
    pub(crate) fn of(fields: &Map<String, Value>) -> Self {
        let mut weights = Self::default();
        for (field, value) in fields {
            weights.set(field, weight(value));
        }
        weights
    }

    pub(crate) fn field(&self, field: &str) -> usize {
        self.fields.get(field).copied().unwrap_or(0)
    }

    /// What all fields weigh together, with their names.
    pub(crate) fn total(&self) -> usize {
        self.total
    }

    pub(crate) fn set(&mut self, field: &str, weight: usize) {
        self.remove(field);
        self.total += weight + field.len() + 4;
        self.fields.insert(field.to_owned(), weight);
    }

    pub(crate) fn remove(&mut self, field: &str) {
        if let Some(weight) = self.fields.remove(field) {
            self.total -= weight + field.len() + 4;
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_weighs_about_what_its_json_has() {
        for value in [json!("text"), json!([1, "two", null, [true]]), json!({"a": {"b": "c"}, "d": []})] {
            let (found, bytes) = (weight(&value), value.to_string().len());
            assert!(found >= bytes && found <= bytes + 40, "{value}: {found}, {bytes}");
            assert!(is_light(&value, found) && !is_light(&value, found - 1), "{value}");
        }
    }

    #[test]
    fn weights_add_up() {
        let mut weights = Weights::of(json!({"a": "x", "b": [1]}).as_object().unwrap());
        let before = weights.total();
        weights.set("c", 100);
        weights.set("c", 50);
        assert_eq!((weights.field("c"), weights.total()), (50, before + 55));
        weights.remove("c");
        assert_eq!(weights.total(), before);
    }
}
