//! Who takes a commit.

use act::{Act, Commit, CommitStatus, EntityRef, Issue};
use serde_json::{Value, json};

use super::{Decision, Start, Utterance};
use crate::rules::Moment;
use crate::{
    ActResult, ActStatus, ActionExecuted, ActionFailed, Complaint, Conversation, EntityState, Published,
    Rules, ValidationError,
};

pub(super) fn decide(
    rules: &Rules,
    talk: &Conversation,
    said: &Utterance,
    commit: &Commit,
    decision: &mut Decision,
) {
    // A commit that is not pending tells of work; only a pending one wants it.
    if commit.state() != CommitStatus::Pending {
        decision.record(said, ActStatus::Recorded);
        tell(&said.act, commit, said.act.id.as_str(), None, decision);
        return;
    }
    let errors = broken(rules, talk, commit);
    if errors.is_empty() {
        route(rules, talk, said, commit, decision);
    } else {
        refuse(talk, said, commit, errors, decision);
    }
}

/// What a commit act says has become of a commit. Pending, in progress, retrying and cancelled are neither done nor
/// failed.
pub(crate) fn tell(act: &Act, commit: &Commit, commit_id: &str, run: Option<&str>, decision: &mut Decision) {
    let (commit_id, causation_id) = (commit_id.to_owned(), act.id.as_str().to_owned());
    let run = run.map(str::to_owned);
    match commit.state() {
        CommitStatus::Success => decision.push(ActionExecuted {
            commit_id,
            action: commit.action,
            entity: commit.entity.id().to_owned(),
            transaction_id: commit.transaction_id.clone(),
            causation_id,
            run,
        }),
        CommitStatus::Failed => {
            let error = commit.error.as_ref().and_then(|error| serde_json::to_value(error).ok());
            decision.push(ActionFailed { commit_id, error: error.unwrap_or(Value::Null), causation_id, run });
        }
        CommitStatus::Pending
        | CommitStatus::InProgress
        | CommitStatus::Retrying
        | CommitStatus::Cancelled => {}
    }
}

fn broken(rules: &Rules, talk: &Conversation, commit: &Commit) -> Vec<Complaint> {
    let type_ = rules.type_of(talk, &commit.entity);
    let asked =
        type_.and_then(|type_| rules.entities.get(type_)).filter(|rules| rules.asks_at(Moment::Commit));
    asked.map_or_else(Vec::new, |asked| asked.ensure(&document(rules, talk, &commit.entity), Moment::Commit))
}

fn refuse(
    talk: &Conversation,
    said: &Utterance,
    commit: &Commit,
    errors: Vec<Complaint>,
    decision: &mut Decision,
) {
    let id = said.act.id.as_str().to_owned();
    let message = errors.iter().map(|error| error.message.as_str()).collect::<Vec<_>>().join("; ");
    decision.record(said, ActStatus::Invalid);
    decision.push(ValidationError {
        entity_id: commit.entity.id().to_owned(),
        conversation_id: talk.id.clone(),
        errors,
        fact: None,
        act_id: id.clone(),
    });
    let error = json!({ "code": "entity.invalid", "message": message, "recoverable": true });
    decision.push(ActionFailed { commit_id: id.clone(), error, causation_id: id, run: None });
}

/// Starts every flow that takes the commit; publishes a commit that none takes.
fn route(rules: &Rules, talk: &Conversation, said: &Utterance, commit: &Commit, decision: &mut Decision) {
    let system = commit.system.as_deref().map(|name| rules.system(name));
    let takers: Vec<&str> = rules
        .routes
        .iter()
        .filter(|route| route.takes(system.as_deref(), commit.action))
        .map(|route| route.flow.as_str())
        .collect();
    if takers.is_empty() {
        decision.record(said, ActStatus::Unrouted);
        let published = unrouted(rules, talk, said, commit, system.as_deref());
        decision.warnings.push(nobody(&published.topic));
        decision.push(published);
        return;
    }
    decision.record(said, ActResult { status: ActStatus::Routed, runs: takers.len(), commit: None });
    let input = json!({
        "entity": document(rules, talk, &commit.entity),
        "act": said.act.to_value(),
        "conversation": { "id": talk.id },
    });
    for flow in takers {
        decision.starts.push(Start {
            flow: flow.to_owned(),
            commit_id: said.act.id.as_str().to_owned(),
            entity: commit.entity.id().to_owned(),
            entity_type: rules.type_of(talk, &commit.entity).map(str::to_owned),
            action: commit.action,
            system: system.clone(),
            idempotency_key: commit.idempotency_key.clone(),
            input: input.clone(),
        });
    }
}

fn nobody(topic: &str) -> Issue {
    let message =
        format!("no flow takes this commit: it was published on {topic}, and nothing else was done");
    Issue { pointer: "/system".to_owned(), code: "warn.unrouted", message }
}

fn unrouted(
    rules: &Rules,
    talk: &Conversation,
    said: &Utterance,
    commit: &Commit,
    system: Option<&str>,
) -> Published {
    let payload = json!({
        "commitId": said.act.id,
        "conversationId": talk.id,
        "traceId": &*said.correlation,
        "entity": document(rules, talk, &commit.entity),
        "action": commit.action,
        "system": system,
        "idempotencyKey": commit.idempotency_key,
    });
    Published { topic: format!("integration-{}", system.unwrap_or("default")), payload }
}

/// The entity's document, with what this reference adds.
pub(crate) fn document(rules: &Rules, talk: &Conversation, entity: &EntityRef) -> Value {
    let mut state = talk.entities.get(entity.id()).cloned().unwrap_or_else(|| EntityState::new(entity.id()));
    state.type_ = rules.type_of(talk, entity).map(str::to_owned);
    if let Some(external_id) = entity.external_id() {
        state.external_id = Some(external_id.to_owned());
    }
    state.document()
}
