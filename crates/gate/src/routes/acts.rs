//! Saying acts: one, an array of them, or one per line.

use std::time::Duration;

use act::{Accepted, Act, Checked, DocumentKind, Issue};
use conversation::{ActAnswer, Submission, Taken};
use serde_json::Value;

use super::{conversations, integrations};
use crate::answer::Answer;
use crate::auth::Permission;
use crate::exchange::{Asked, Inlet};
use crate::openapi::Schema;
use crate::route::{Gives, Parameter, Route, Takes, Verb};
use crate::{Code, Gate, Problem, body, upload};

const PREFER: Parameter = Parameter {
    name: "Prefer",
    type_: "string",
    about: "wait=2 or wait=500ms: waits so long for what the act set in motion. What is not done by then is pending.",
};

const PROBLEMS: &[Code] = &[
    Code::ActInvalid,
    Code::ActIdReused,
    Code::ActRefused,
    Code::CommitKeyReused,
    Code::CommitKeyExpired,
    Code::CommitNewTry,
    Code::CommitOnce,
    Code::CommitKeysFull,
    Code::ActTooMany,
    Code::ActConversation,
    Code::ActSpeaker,
    Code::AuthConversation,
    Code::QuestionDenied,
    Code::ConversationUnknown,
    Code::ConversationEnded,
    Code::Contended,
];

const fn route(path: &'static str, name: &'static str) -> Route {
    Route {
        verb: Verb::Post,
        path,
        name,
        summary: "Says acts in a conversation; the first begins it, with its speaker as the participant. \
                  202 while a run that they started is not over, or its outcome not known. Lines (NDJSON) are answered line \
                  by line, each with its status.",
        permission: Permission::ConversationWrite,
        query: &[],
        headers: &[PREFER],
        takes: Takes::Acts,
        gives: Gives { status: 200, schema: Schema::Taken },
        problems: PROBLEMS,
        handler: |gate, asked| Box::pin(post(gate, asked)),
        shows: None,
    }
}

pub(super) const ROUTES: &[Route] = &[
    route("/v1/conversations/{id}/acts", "sayActs"),
    route("/conversation/{id}/acts", "sayActsAsInTheGuide"),
];

async fn post(gate: &Gate, asked: Asked) -> Result<Answer, Problem> {
    if !conversations::is_name(asked.param("id")) {
        return Err(Problem::because(Code::ConversationUnknown, conversations::EXPECTED));
    }
    match &asked.body {
        Inlet::Lines(_) => Ok(upload::lines(gate, asked)),
        Inlet::Whole(bytes) => whole(gate, &asked, bytes).await,
        Inlet::Nothing => Err(Problem::because(Code::BodyJson, "expected an act")),
    }
}

async fn whole(gate: &Gate, asked: &Asked, bytes: &[u8]) -> Result<Answer, Problem> {
    let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    if first == Some(&b'[') { array(gate, asked, bytes).await } else { one(gate, asked, bytes).await }
}

async fn one(gate: &Gate, asked: &Asked, bytes: &[u8]) -> Result<Answer, Problem> {
    let act = parse(gate, asked, bytes)?;
    let (taken, next) = say(gate, asked, vec![act]).await?;
    let told = told(gate, asked, &taken, next).await?;
    let [told] = &*told else { return Err(Problem::new(Code::Internal)) };
    let status = if told.is_moving() { http::StatusCode::ACCEPTED } else { http::StatusCode::OK };
    Ok(Answer::json(status, told).at(told.position))
}

async fn array(gate: &Gate, asked: &Asked, bytes: &[u8]) -> Result<Answer, Problem> {
    let Value::Array(items) = body::json(bytes)? else { return Err(Problem::new(Code::BodyInvalid)) };
    if items.is_empty() {
        return Err(Problem::because(Code::BodyInvalid, "expected at least one act"));
    }
    if items.len() > gate.limits.array {
        return Err(Problem::because(
            Code::ActTooMany,
            format!("at most {} acts in an array", gate.limits.array),
        ));
    }
    let acts = checked(gate, asked, items)?;
    let (taken, next) = say(gate, asked, acts).await?;
    let position = taken.iter().map(|taken| taken.position).max().unwrap_or(0);
    let answers = told(gate, asked, &taken, next).await?;
    let moving = answers.iter().any(|told| told.is_moving());
    let status = if moving { http::StatusCode::ACCEPTED } else { http::StatusCode::OK };
    Ok(Answer::json(status, &answers).at(position))
}

/// Reads one act; its mistakes are told all at once.
pub(crate) fn parse(gate: &Gate, asked: &Asked, bytes: &[u8]) -> Result<Accepted<Act>, Problem> {
    asked.tell_stage("validation_start", None);
    body::utf8(bytes)?;
    let parsed = act::parse_act(bytes, gate.conversations.rules());
    asked.tell_stage("validation_complete", parsed.as_ref().ok().map(|accepted| &accepted.value));
    parsed.map_err(|mut issues| {
        gate.observer.on_act("unknown", false, Duration::ZERO);
        match issues.first() {
            Some(issue) if issue.code.starts_with("json.") => body::malformed(bytes, issues.swap_remove(0)),
            _ => Problem::invalid(Code::ActInvalid, issues),
        }
    })
}

/// Checks the acts of an array; pointers begin with the number of the act.
fn checked(gate: &Gate, asked: &Asked, items: Vec<Value>) -> Result<Vec<Accepted<Act>>, Problem> {
    let (mut acts, mut issues) = (Vec::with_capacity(items.len()), Vec::new());
    for (number, item) in items.into_iter().enumerate() {
        asked.tell_stage("validation_start", None);
        match act::check(DocumentKind::Act, item, gate.conversations.rules()) {
            Ok(Accepted { value: Checked::Act(value), warnings, mended }) => {
                asked.tell_stage("validation_complete", Some(&value));
                acts.push(Accepted { value: *value, warnings, mended });
            }
            Ok(_) => return Err(Problem::new(Code::Internal)),
            Err(found) => {
                asked.tell_stage("validation_complete", None);
                issues.extend(
                    found
                        .into_iter()
                        .map(|issue| Issue { pointer: format!("/{number}{}", issue.pointer), ..issue }),
                );
            }
        }
    }
    if issues.is_empty() { Ok(acts) } else { Err(Problem::invalid(Code::ActInvalid, issues)) }
}

/// All or nothing.
async fn say(
    gate: &Gate,
    asked: &Asked,
    acts: Vec<Accepted<Act>>,
) -> Result<(Vec<Taken>, Vec<Value>), Problem> {
    let (request, conversation) = (asked.request(gate), asked.param("id"));
    let submission = Submission { request, conversation, acts, all_or_nothing: true, answering: None };
    let answer = gate.conversations.take(submission).await?;
    let taken = answer.verdicts.into_iter().collect::<Result<_, _>>()?;
    Ok((taken, answer.next_actions))
}

/// Tells of each act; waits for their runs when the caller prefers to.
async fn told<'a>(
    gate: &Gate,
    asked: &Asked,
    taken: &'a [Taken],
    next: Vec<Value>,
) -> Result<Vec<ActAnswer<'a>>, Problem> {
    let patience = asked.wait(gate.limits.wait);
    let waits = patience.is_some() && taken.iter().any(|taken| !taken.runs.is_empty());
    let acts: Vec<&Taken> = taken.iter().collect();
    let integrations = integrations::of(gate, &asked.turn, &acts, patience).await;
    let next = match waits {
        true => gate.conversations.awaited(&asked.principal.caller(), asked.param("id")).await?,
        false => next,
    };
    Ok(taken
        .iter()
        .zip(integrations)
        .map(|(taken, runs)| ActAnswer::new(taken, runs, next.clone()))
        .collect())
}
