//! What compat mode mends on the way in: the spellings of two upstream libraries, counted.

use serde_json::Value;

use crate::Map;

/// How often each mend was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Mended {
    /// Optional members that were null and are now absent.
    pub nulls_dropped: u32,
    /// Acts that were wrapped as `{"type":"ask","ask":{…}}`.
    pub unwrapped: u32,
    /// Error acts whose `context` is now `details`.
    pub renamed: u32,
    /// Members the model does not know, kept as they are.
    pub unknown_kept: u32,
}

impl Mended {
    /// Whether anything was mended.
    pub fn any(&self) -> bool {
        *self != Self::default()
    }

    /// Unwraps `{"type":"ask","ask":{…}}`; anything else stays as it is.
    pub(crate) fn unwrap(&mut self, mut map: Map) -> Map {
        let Some(Value::String(kind)) = map.get("type") else { return map };
        let kind = kind.clone();
        let wrapped = map.get(&kind).is_some_and(Value::is_object)
            && map.iter().all(|(name, value)| name == "type" || *name == kind || value.is_null());
        if !wrapped {
            return map;
        }
        let Some(Value::Object(mut inner)) = map.remove(&kind) else { return map };
        self.unwrapped += 1;
        inner.entry("type").or_insert(Value::String(kind));
        inner
    }

    /// Gives an error act's `context` the name `details`.
    pub(crate) fn rename(&mut self, map: &mut Map) {
        let free = !map.contains_key("details") && map.get("context").is_some_and(Value::is_object);
        if let Some(context) = free.then(|| map.remove("context")).flatten() {
            map.insert("details".to_owned(), context);
            self.renamed += 1;
        }
    }
}
