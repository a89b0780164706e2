//! The same description as JSON Schema 2020-12, so that editors complete and check while one writes.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Field, Form, Kind, Shape};

impl Shape {
    /// JSON Schema 2020-12 under the given `$id`. Shapes that hold themselves become `$defs`.
    pub fn json_schema(&self, id: &str) -> Value {
        let mut defs = Defs(BTreeMap::new());
        let mut schema = defs.schema(self);
        let head = [("$schema", "https://json-schema.org/draft/2020-12/schema"), ("$id", id)];
        for (key, value) in head {
            schema.insert(key.to_owned(), value.into());
        }
        if !defs.0.is_empty() {
            schema.insert("$defs".to_owned(), defs.0.into_iter().collect());
        }
        Value::Object(schema)
    }
}

struct Defs(BTreeMap<String, Value>);

impl Defs {
    fn schema(&mut self, shape: &Shape) -> Map<String, Value> {
        let mut schema = self.kind(&shape.kind);
        if let Some(doc) = &shape.doc {
            schema.insert("description".to_owned(), doc.clone().into());
        }
        if !shape.examples.is_empty() {
            schema.insert("examples".to_owned(), shape.examples.clone().into());
        }
        schema
    }

    fn kind(&mut self, kind: &Kind) -> Map<String, Value> {
        let schema = match kind {
            Kind::Any => json!({}),
            Kind::Null => json!({ "type": "null" }),
            Kind::Bool => json!({ "type": "boolean" }),
            Kind::Text { form: None } | Kind::Expr => json!({ "type": "string" }),
            Kind::Text { form: Some(Form { regex, .. }) } => {
                json!({ "type": "string", "pattern": regex.as_str() })
            }
            Kind::Choice(words) => json!({ "enum": words }),
            Kind::Int { min, max } => integer(*min, *max),
            Kind::Number { min, max } => number(*min, *max),
            Kind::Duration => json!({ "type": "string", "pattern": "^([0-9]+(ms|s|m|h|d))+$" }),
            Kind::Size => json!({ "type": "string", "pattern": "^[0-9]+(B|KiB|MiB|GiB)$" }),
            Kind::Secret => json!({
                "type": "object",
                "properties": { "secret": { "type": "string" } },
                "required": ["secret"],
                "additionalProperties": false,
            }),
            Kind::List { of, min, max } => {
                let items = Value::Object(self.schema(of));
                bounded(json!({ "type": "array", "items": items }), "Items", *min, *max)
            }
            Kind::Map { form, of, min, max, .. } => {
                let mut map = json!({ "type": "object", "additionalProperties": self.schema(of) });
                if let Some(form) = form {
                    map["propertyNames"] = json!({ "pattern": form.regex.as_str() });
                }
                bounded(map, "Properties", *min, *max)
            }
            Kind::Object { fields, one_key_of } => self.object(fields, one_key_of),
            Kind::OneOf(shapes) => {
                let any: Vec<Value> = shapes.iter().map(|shape| Value::Object(self.schema(shape))).collect();
                json!({ "anyOf": any })
            }
            Kind::Lazy { name, make } => self.reference(name, *make),
        };
        match schema {
            Value::Object(schema) => schema,
            _ => Map::new(),
        }
    }

    fn reference(&mut self, name: &str, make: fn() -> Shape) -> Value {
        if !self.0.contains_key(name) {
            self.0.insert(name.to_owned(), Value::Null);
            let schema = self.schema(&make());
            self.0.insert(name.to_owned(), Value::Object(schema));
        }
        json!({ "$ref": format!("#/$defs/{name}") })
    }

    fn object(&mut self, fields: &[Field], groups: &[Vec<String>]) -> Value {
        let properties: Map<String, Value> =
            fields.iter().map(|field| (field.name.clone(), Value::Object(self.field(field)))).collect();
        let required: Vec<&str> =
            fields.iter().filter(|field| field.required).map(|field| field.name.as_str()).collect();
        let mut schema = json!({ "type": "object", "properties": properties, "additionalProperties": false });
        if !required.is_empty() {
            schema["required"] = json!(required);
        }
        let one_of = |group: &Vec<String>| {
            let each: Vec<Value> = group.iter().map(|key| json!({ "required": [key] })).collect();
            json!({ "oneOf": each })
        };
        match groups {
            [] => {}
            [only] => schema["oneOf"] = one_of(only)["oneOf"].take(),
            many => schema["allOf"] = many.iter().map(one_of).collect(),
        }
        schema
    }

    fn field(&mut self, field: &Field) -> Map<String, Value> {
        let mut schema = self.schema(&field.shape);
        if !field.words().is_empty() {
            schema.insert("description".to_owned(), field.words().into());
        }
        if let Some(default) = &field.default {
            schema.insert("default".to_owned(), default.clone());
        }
        if field.deprecated.is_some() {
            schema.insert("deprecated".to_owned(), true.into());
        }
        schema
    }
}

fn integer(min: i64, max: i64) -> Value {
    let mut schema = json!({ "type": "integer" });
    if min > i64::MIN {
        schema["minimum"] = json!(min);
    }
    if max < i64::MAX {
        schema["maximum"] = json!(max);
    }
    schema
}

fn number(min: f64, max: f64) -> Value {
    let mut schema = json!({ "type": "number" });
    if min > f64::MIN {
        schema["minimum"] = json!(min);
    }
    if max < f64::MAX {
        schema["maximum"] = json!(max);
    }
    schema
}

fn bounded(mut schema: Value, what: &str, min: usize, max: usize) -> Value {
    if min > 0 {
        schema[format!("min{what}")] = json!(min);
    }
    if max < usize::MAX {
        schema[format!("max{what}")] = json!(max);
    }
    schema
}
