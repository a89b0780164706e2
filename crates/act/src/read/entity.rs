//! Entities and references to them.

use serde_json::Value;

use super::members::Members;
use super::scalar::{name, text, too_long, uri};
use crate::issue::{At, Findings, code};
use crate::{Entity, EntityRef, Rules};

/// Bytes of the longest name of an entity: with its conversation's it is the name of a row.
const LONGEST: usize = 256;

pub(crate) fn entity(value: Value, at: At<'_>, rules: &Rules, found: &mut Findings) -> Option<Entity> {
    let mut members = Members::open(value, at, rules, found)?;
    let id = members.filled("id");
    members.bounded("id", id.as_deref(), LONGEST);
    let type_ = members.filled("type");
    let external_id = members.optional("external_id", text);
    let system = members.optional("system", text);
    let version = members.optional("version", text);
    let schema_url = members.optional("schema_url", uri);
    let metadata = members.open_object("metadata", &[]);
    members.close();
    Some(Entity { id: id?, type_: type_?, external_id, system, version, schema_url, metadata })
}

pub(crate) fn entity_ref(value: Value, at: At<'_>, rules: &Rules, found: &mut Findings) -> Option<EntityRef> {
    match value {
        Value::String(id) => {
            if id.is_empty() {
                found.meaning(&at, code::EMPTY, "expected the name of an entity, found none");
            }
            if id.len() > LONGEST {
                found.meaning(&at, code::TOO_LONG, too_long(LONGEST));
            }
            Some(EntityRef::Id(id))
        }
        Value::Object(_) => entity(value, at, rules, found).map(EntityRef::from),
        other => {
            found.shape(&at, code::TYPE, format!("expected a string or an entity, found {}", name(&other)));
            None
        }
    }
}
