//! What a fact does to its entity.

use act::{Demands, Fact, OpError, Operation, ValidationStatus, apply, may_amend};
use serde_json::Value;

use super::{Decision, Utterance};
use crate::event::short;
use crate::rules::{Moment, unmet};
use crate::{ActStatus, Complaint, Conversation, EntityState, Rules, StateChanged, ValidationError};

pub(super) fn decide(
    rules: &Rules,
    talk: &Conversation,
    said: &Utterance,
    fact: &Fact,
    decision: &mut Decision,
) {
    match judged(rules, talk, fact) {
        Ok(next) => {
            decision.record(said, ActStatus::Applied);
            decision.push(changed(rules, talk, said, fact, next));
        }
        Err(errors) => {
            decision.record(said, ActStatus::Invalid);
            decision.push(ValidationError {
                entity_id: fact.entity.id().to_owned(),
                conversation_id: talk.id.clone(),
                errors,
                fact: ValidationError::told(fact),
                act_id: said.act.id.as_str().to_owned(),
            });
        }
    }
}

/// What becomes of the field; `None` of an `append` or `merge` that nobody has to see the whole of.
type Next = Option<Option<Value>>;

/// The field's next value, or everything that is wrong with it.
fn judged(rules: &Rules, talk: &Conversation, fact: &Fact) -> Result<Next, Vec<Complaint>> {
    let held = talk.entities.get(fact.entity.id());
    let mut errors = refused(held, fact);
    let current = held.and_then(|held| held.fields.get(&fact.field));
    let type_ = rules.type_of(talk, &fact.entity);
    let entity_rules = type_.and_then(|type_| rules.entities.get(type_));
    let demands = talk.asks.get(&fact.field);
    let is_seen = entity_rules.is_some() || demands.is_some();
    let next = match done(current, fact, is_seen) {
        Ok(next) => next,
        Err(error) => {
            errors.push(Complaint::new(error.code(), error.to_string()).of(&fact.field));
            return Err(errors);
        }
    };
    let Some(value) = &next else { return if errors.is_empty() { Ok(next) } else { Err(errors) } };
    if let (Some(constraints), Some(value)) = (demands, value) {
        match Demands::compile(constraints) {
            Ok(demands) => errors.extend(unmet(&demands, &fact.field, Some(value))),
            Err(message) => errors.push(Complaint::new("constraint.pattern", message).of(&fact.field)),
        }
    }
    if let Some(entity_rules) = entity_rules {
        errors.extend(entity_rules.field(&fact.field, value.as_ref()));
        if errors.is_empty() && entity_rules.asks_at(Moment::Fact) {
            let document = after(held, type_, fact, value.clone());
            errors.extend(entity_rules.ensure(&document, Moment::Fact));
        }
    }
    if errors.is_empty() { Ok(next) } else { Err(errors) }
}

/// Does the operation; to a long value that nobody has to see whole, only asks whether it can be done.
fn done(current: Option<&Value>, fact: &Fact, is_seen: bool) -> Result<Next, OpError> {
    let is_added = matches!(fact.op(), Operation::Append | Operation::Merge);
    if is_added && !is_seen && short(current).is_none() {
        return may_amend(current, fact.op(), &fact.value).map(|()| None);
    }
    apply(current, fact.op(), &fact.value).map(Some)
}

/// What no rule needs to be asked about.
fn refused(held: Option<&EntityState>, fact: &Fact) -> Vec<Complaint> {
    let mut errors = Vec::new();
    if fact.field == "id" {
        errors.push(
            Complaint::new("entity.reserved_field", "expected another field than the entity's name").of("id"),
        );
    }
    let known = held.and_then(|held| held.type_.as_deref());
    if let (Some(known), Some(claimed)) = (known, fact.entity.type_())
        && known != claimed
    {
        errors.push(Complaint::new(
            "entity.type",
            format!("expected an entity of type {known:?}, as said before"),
        ));
    }
    if fact.validity() == ValidationStatus::Invalid {
        let said = fact.validation_errors.as_deref().unwrap_or_default();
        let message = if said.is_empty() { "expected a valid value".to_owned() } else { said.join("; ") };
        errors.push(Complaint::new("fact.reported_invalid", message).of(&fact.field));
    }
    errors
}

/// The entity's document as it would be.
fn after(held: Option<&EntityState>, type_: Option<&str>, fact: &Fact, next: Option<Value>) -> Value {
    let mut entity = held.cloned().unwrap_or_else(|| EntityState::new(fact.entity.id()));
    entity.type_ = type_.map(str::to_owned);
    if let Some(external_id) = fact.entity.external_id() {
        entity.external_id = Some(external_id.to_owned());
    }
    match next {
        Some(value) => drop(entity.fields.insert(fact.field.clone(), value)),
        None => drop(entity.fields.remove(&fact.field)),
    }
    entity.document()
}

fn changed(rules: &Rules, talk: &Conversation, said: &Utterance, fact: &Fact, next: Next) -> StateChanged {
    let held = talk.entities.get(fact.entity.id());
    let previous = held.and_then(|held| held.fields.get(&fact.field));
    let is_added = matches!(fact.op(), Operation::Append | Operation::Merge);
    let new_value = match next {
        Some(value) if is_added => short(value.as_ref()),
        Some(value) => Some(value.unwrap_or(Value::Null)),
        None => None,
    };
    StateChanged {
        entity_id: fact.entity.id().to_owned(),
        conversation_id: talk.id.clone(),
        field: fact.field.clone(),
        previous_value: short(previous),
        new_value,
        change: is_added.then(|| fact.value.clone()),
        timestamp: said.at,
        entity_type: rules.type_of(talk, &fact.entity).map(str::to_owned),
        operation: fact.op(),
        act_id: said.act.id.as_str().to_owned(),
    }
}
