//! How large a field and an entity may become.

use act::{Fact, Operation};

use super::Refusal;
use crate::weight::weight;
use crate::{Conversation, EntityState, Limits};

/// Refuses a fact that would make its field or its entity larger than they may be. One that makes them smaller is
/// taken whatever they are.
pub(super) fn admit(limits: &Limits, talk: &Conversation, fact: &Fact) -> Result<(), Refusal> {
    let held = talk.entities.get(fact.entity.id());
    let (total, before) = held.map_or((0, 0), |held| (held.weights.total(), held.weights.field(&fact.field)));
    let after = match fact.op() {
        Operation::Delete | Operation::Increment | Operation::Decrement => return Ok(()),
        Operation::Set => weight(&fact.value),
        Operation::Append => before + weight(&fact.value),
        Operation::Merge => merged(held, fact, before),
    };
    let entity = total - before + after;
    if after <= before {
        Ok(())
    } else if after > limits.field_bytes {
        Err(too_large("field.too_large", &format!("field {:?}", fact.field), after, limits.field_bytes))
    } else if entity > limits.entity_bytes {
        Err(too_large("entity.too_large", "all fields of the entity", entity, limits.entity_bytes))
    } else {
        Ok(())
    }
}

/// What an object weighs with another laid over it: members that both have count once.
fn merged(held: Option<&EntityState>, fact: &Fact, before: usize) -> usize {
    let current = held.and_then(|held| held.fields.get(&fact.field));
    let merged = act::apply(current, Operation::Merge, &fact.value).ok().flatten();
    merged.map_or(before, |merged| weight(&merged))
}

fn too_large(code: &'static str, what: &str, found: usize, most: usize) -> Refusal {
    let message = format!("expected at most {most} bytes in {what}, with this it would be some {found}");
    Refusal { pointer: "/value", ..Refusal::new(code, message) }
}
