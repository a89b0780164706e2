//! What is known of an entity in one conversation.

use act::{EntityRef, Operation};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::weight::Weights;
use crate::{ActStatus, Event, StateChanged};

/// What is known of an entity in one conversation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "Stored")]
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
    /// What the fields weigh.
    #[serde(skip)]
    pub(crate) weights: Weights,
}

/// An entity as it is stored.
#[derive(Deserialize)]
struct Stored {
    id: String,
    #[serde(rename = "type")]
    type_: Option<String>,
    external_id: Option<String>,
    version: u64,
    fields: Map<String, Value>,
    updated: Option<Timestamp>,
}

impl From<Stored> for EntityState {
    fn from(stored: Stored) -> Self {
        let Stored { id, type_, external_id, version, fields, updated } = stored;
        let weights = Weights::of(&fields);
        Self { id, type_, external_id, version, fields, updated, weights }
    }
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
            weights: Weights::default(),
        }
    }

    /// Folds an event of its conversation; what is about something else changes nothing.
    pub fn apply(&mut self, event: &Event) {
        match event {
            Event::ActProcessed(processed) if processed.result.status != ActStatus::Invalid => {
                let entity = processed.act.body.entity();
                entity
                    .filter(|entity| entity.id() == self.id)
                    .into_iter()
                    .for_each(|entity| self.meet(entity));
            }
            Event::StateChanged(changed) if changed.entity_id == self.id => self.change(changed),
            _ => {}
        }
    }

    /// Learns what an object says about it. A type is learned once.
    pub(crate) fn meet(&mut self, entity: &EntityRef) {
        let Some(object) = entity.object() else { return };
        self.type_.get_or_insert_with(|| object.type_.clone());
        if object.external_id.is_some() {
            self.external_id.clone_from(&object.external_id);
        }
    }

    /// Changes a field.
    pub(crate) fn change(&mut self, changed: &StateChanged) {
        if self.type_.is_none() {
            self.type_.clone_from(&changed.entity_type);
        }
        let field = &changed.field;
        match changed.operation {
            Operation::Delete => {
                self.fields.remove(field);
                self.weights.remove(field);
            }
            _ => {
                changed.write(&mut self.fields);
                let weight = changed.weigh(self.weights.field(field), &self.fields);
                self.weights.set(field, weight);
            }
        }
        self.version += 1;
        self.updated = Some(changed.timestamp);
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
