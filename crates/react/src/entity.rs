//! What is known of an entity in one conversation.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What is known of an entity in one conversation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EntityState {
    /// Its name.
    pub id: String,
    /// What it is. Given by the first valid act that names it by an object, or by its name (see [`crate::Rules`]);
    /// never changed afterwards. `None` is untyped: no rule applies to it.
    #[serde(rename = "type")]
    pub type_: Option<String>,
    /// Its name in its own system; the latest that was said.
    pub external_id: Option<String>,
    /// How many changes its fields have seen.
    pub version: u64,
    /// Its fields.
    pub fields: Map<String, Value>,
    /// When a field last changed.
    pub updated: Option<Timestamp>,
}

impl EntityState {
    /// An entity of which nothing is known.
    pub fn new(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            type_: None,
            external_id: None,
            version: 0,
            fields: Map::new(),
            updated: None,
        }
    }

    /// What expressions see: the fields, with `id` always, and `type` and `external_id` where no field has that name.
    pub fn document(&self) -> Value {
        let mut document = self.fields.clone();
        let mut offer = |name: &str, value: &Option<String>| {
            if let Some(value) = value {
                document.entry(name).or_insert_with(|| value.as_str().into());
            }
        };
        offer("type", &self.type_);
        offer("external_id", &self.external_id);
        document.insert("id".to_owned(), self.id.as_str().into());
        Value::Object(document)
    }
}
