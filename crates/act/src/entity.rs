//! What an act speaks about.

use serde::Serialize;

use crate::Map;

/// The entity an act speaks about: its name, or more about it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum EntityRef {
    /// Only its name; nothing says what type it has.
    Id(String),
    /// An entity object.
    Object(Box<Entity>),
}

/// An entity as an act names it. Closed: what is known *about* it belongs in `metadata` or in its fields.
#[derive(Clone, Debug, PartialEq, Default, Serialize)]
pub struct Entity {
    /// Its name in the conversation.
    pub id: String,
    /// What it is: `order`, `customer`; any text.
    #[serde(rename = "type")]
    pub type_: String,
    /// Its name in the system it lives in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// The system it lives in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// The version the speaker has seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Where its schema is: an absolute URI.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schema_url: Option<String>,
    /// Anything else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map>,
}

impl EntityRef {
    /// The entity's name: the text itself, or the object's `id`.
    pub fn id(&self) -> &str {
        match self {
            EntityRef::Id(id) => id,
            EntityRef::Object(entity) => &entity.id,
        }
    }

    /// The entity's type, when the act says it.
    pub fn type_(&self) -> Option<&str> {
        self.object().map(|entity| entity.type_.as_str())
    }

    /// The entity's name in its own system, when the act says it.
    pub fn external_id(&self) -> Option<&str> {
        self.object()?.external_id.as_deref()
    }

    /// The whole object, when the act gives one.
    pub fn object(&self) -> Option<&Entity> {
        match self {
            EntityRef::Id(_) => None,
            EntityRef::Object(entity) => Some(entity),
        }
    }
}

impl From<&str> for EntityRef {
    fn from(id: &str) -> Self {
        EntityRef::Id(id.to_owned())
    }
}

impl From<String> for EntityRef {
    fn from(id: String) -> Self {
        EntityRef::Id(id)
    }
}

impl From<Entity> for EntityRef {
    fn from(entity: Entity) -> Self {
        EntityRef::Object(Box::new(entity))
    }
}
