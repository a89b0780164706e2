//! A change of a field, made and read.

use act::{Operation, amend};
use serde_json::{Map, Value};

use super::StateChanged;
use crate::Conversation;
use crate::weight::{is_light, weight};

/// Values up to this weight are told whole, what they were and what they have become: most are numbers and short texts.
const WHOLE: usize = 256;

/// The value, when it is short enough to be told whole.
pub(crate) fn short(value: Option<&Value>) -> Option<Value> {
    match value {
        None => Some(Value::Null),
        Some(value) => is_light(value, WHOLE).then(|| value.clone()),
    }
}

impl StateChanged {
    /// Does to the fields what was done to the entity.
    pub(crate) fn write(&self, fields: &mut Map<String, Value>) {
        match (self.operation, &self.change) {
            (Operation::Delete, _) => drop(fields.remove(&self.field)),
            (Operation::Append | Operation::Merge, Some(change)) => {
                amend(fields, &self.field, self.operation, change);
            }
            _ => drop(fields.insert(self.field.clone(), self.new_value.clone().unwrap_or_default())),
        }
    }

    /// What the field is after the change, in a conversation that does not know it yet; `None` when it is gone.
    pub(crate) fn value(&self, talk: &Conversation) -> Option<Value> {
        let held = talk.entities.get(&self.entity_id).and_then(|held| held.fields.get(&self.field));
        let mut fields = Map::from_iter(held.map(|held| (self.field.clone(), held.clone())));
        self.write(&mut fields);
        fields.remove(&self.field)
    }

    /// What the field weighs after the change, which has been made; `before` is what it weighed. Only what was added
    /// to a list or a text is weighed, not all of it again.
    pub(crate) fn weigh(&self, before: usize, fields: &Map<String, Value>) -> usize {
        let now = fields.get(&self.field);
        match (self.operation, &self.change, now) {
            (Operation::Append, Some(Value::String(tail)), Some(Value::String(_))) => before + tail.len(),
            (Operation::Append, Some(item), Some(Value::Array(items))) if items.len() > 1 => {
                before + weight(item) + 1
            }
            _ => now.map_or(0, weight),
        }
    }
}
