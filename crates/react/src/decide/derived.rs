//! Every act runs the derive rules of its type.

use expr::Scope;
use serde_json::{Value, json};

use super::{Decision, Utterance, commit};
use crate::{ActFailed, Conversation, Event, Rules};
use act::Word as _;

/// Publishes what the rules make of an act. A rule that cannot be evaluated is told and stops nothing.
pub(crate) fn derive(rules: &Rules, talk: &Conversation, said: &Utterance, decision: &mut Decision) {
    let act = &said.act;
    let asked = rules.derive.iter().filter(|rule| rule.concerns(act.type_name()));
    // An act of an unregistered type is stored and goes nowhere.
    let stored_only = act.is_custom() && !rules.custom.contains(act.type_name());
    let mut asked = asked.filter(|_| !stored_only).peekable();
    if asked.peek().is_none() {
        return;
    }
    let (value, entity) = (act.to_value(), entity(rules, talk, said, decision));
    let status = talk.status.as_str();
    let conversation = json!({ "id": talk.id, "status": status, "version": talk.version });
    let scope = Scope::new().bind("act", &value).bind("entity", &entity).bind("conversation", &conversation);
    for rule in asked {
        match rule.derive(&scope) {
            Ok(None) => {}
            Ok(Some(published)) => decision.push(published),
            Err(error) => {
                let (act_id, correlation_id) = (act.id.as_str().to_owned(), said.correlation.clone());
                decision.push(ActFailed { act_id, error, correlation_id });
            }
        }
    }
}

/// The act's entity with the change that was just decided.
fn entity(rules: &Rules, talk: &Conversation, said: &Utterance, decision: &Decision) -> Value {
    let Some(entity) = said.act.body.entity() else { return Value::Null };
    let mut document = commit::document(rules, talk, entity);
    for event in &decision.events {
        if let (Event::StateChanged(changed), Value::Object(fields)) = (event, &mut document) {
            match changed.value(talk) {
                Some(value) => drop(fields.insert(changed.field.clone(), value)),
                None => drop(fields.remove(&changed.field)),
            }
        }
    }
    document
}
