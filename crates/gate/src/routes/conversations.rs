//! Conversations: make, list, read, end.

use act::{Accepted, Checked, ConversationId, ConversationStatus, DocumentKind, Issue, Participant};
use aws_lc_rs::digest::{SHA256, digest};
use conversation::{Keep, NewConversation};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::page_size;
use crate::answer::Answer;
use crate::auth::Permission;
use crate::exchange::Asked;
use crate::openapi::Schema;
use crate::route::{AFTER, Gives, LIMIT, Optional, Parameter, Route, Takes, Verb};
use crate::ticket::Ticket;
use crate::{Code, Gate, Problem};

const ACTS_AFTER: Parameter = Parameter {
    name: "after",
    type_: "integer",
    about: "Only acts after this version; see the Link header.",
};
const ACTS_LIMIT: Parameter =
    Parameter { name: "limit", type_: "integer", about: "Acts: 1 to 10000; 1000 unless said." };

const fn read(path: &'static str, name: &'static str) -> Route {
    Route {
        verb: Verb::Get,
        path,
        name,
        summary: "Reads a conversation with its acts. When there are more acts, the Link header leads to them.",
        permission: Permission::ConversationRead,
        query: &[ACTS_AFTER, ACTS_LIMIT],
        headers: &[],
        takes: Takes::Nothing,
        gives: Gives { status: 200, schema: Schema::Conversation },
        problems: &[
            Code::ConversationUnknown,
            Code::AuthConversation,
            Code::PositionAhead,
            Code::QueryInvalid,
        ],
        handler: |gate, asked| Box::pin(one(gate, asked)),
        shows: None,
    }
}

pub(super) const ROUTES: &[Route] = &[
    Route {
        verb: Verb::Post,
        path: "/v1/conversations",
        name: "createConversation",
        summary: "Makes a conversation. Without an id it is given one.",
        permission: Permission::ConversationWrite,
        query: &[],
        headers: &[],
        takes: Takes::Json(Schema::NewConversation, Optional::No),
        gives: Gives { status: 201, schema: Schema::Conversation },
        problems: &[Code::BodyInvalid, Code::ConversationExists, Code::AuthConversation],
        handler: |gate, asked| Box::pin(create(gate, asked)),
        shows: None,
    },
    Route {
        verb: Verb::Get,
        path: "/v1/conversations",
        name: "listConversations",
        summary: "Lists the organisation's conversations by name, without their acts.",
        permission: Permission::ConversationRead,
        query: &[AFTER, LIMIT],
        headers: &[],
        takes: Takes::Nothing,
        gives: Gives { status: 200, schema: Schema::ConversationList },
        problems: &[Code::QueryInvalid],
        handler: |gate, asked| Box::pin(list(gate, asked)),
        shows: None,
    },
    read("/v1/conversations/{id}", "getConversation"),
    read("/conversation/{id}", "getConversationAsInTheGuide"),
    Route {
        verb: Verb::Post,
        path: "/v1/conversations/{id}/end",
        name: "endConversation",
        summary: "Ends a conversation.",
        permission: Permission::ConversationWrite,
        query: &[],
        headers: &[],
        takes: Takes::Json(Schema::EndConversation, Optional::Yes),
        gives: Gives { status: 200, schema: Schema::Conversation },
        problems: &[
            Code::ConversationUnknown,
            Code::ConversationEnded,
            Code::AuthConversation,
            Code::BodyInvalid,
        ],
        handler: |gate, asked| Box::pin(end(gate, asked)),
        shows: None,
    },
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    id: Option<String>,
    participants: Vec<Value>,
    channel: Option<String>,
    context: Option<Map<String, Value>>,
}

/// What a conversation's name looks like.
pub(super) const EXPECTED: &str = "expected conv_ and letters, digits, _ or -, at most 128 bytes in all";

/// Whether a conversation may have this name.
pub(super) fn is_name(id: &str) -> bool {
    id.len() <= ConversationId::LONGEST && ConversationId::parse(id).is_some()
}

async fn create(gate: &Gate, asked: Asked) -> Result<Answer, Problem> {
    let New { id, participants, channel, context } = asked.document()?;
    let given = id.is_some();
    let id = match id {
        Some(id) if !is_name(&id) => {
            return Err(Problem::because(Code::BodyInvalid, format!("id: {EXPECTED}")));
        }
        Some(id) => id,
        None => name(gate, &asked),
    };
    let participants = checked(participants)?;
    let new = NewConversation { id: id.clone(), participants, channel, context };
    let made = {
        let id = id.clone();
        move |document: &Value| {
            let answer = Answer::json(http::StatusCode::CREATED, document);
            Answer { location: Some(format!("/v1/conversations/{id}")), ..answer }
        }
    };
    let keep = keep(&asked, made.clone());
    match gate.conversations.create(&asked.request(gate), new, keep).await {
        Ok((document, position)) => Ok(made(&document).at(position)),
        // Made by the first request with this idempotency key, of which no answer is kept any more.
        Err(error) if is_there(&error) && !given && asked.ticket.is_some() => {
            let document = gate.conversations.document(&asked.principal.caller(), &id, 0, 0).await?;
            Ok(made(&document.json).at(document.position))
        }
        Err(error) => Err(error.into()),
    }
}

fn is_there(error: &conversation::Error) -> bool {
    error.code() == Some(conversation::Code::ConversationExists)
}

/// Keeps the answer in the commit that it is about, when the request has an idempotency key.
fn keep(asked: &Asked, answer: impl FnOnce(&Value) -> Answer + Send + 'static) -> Option<Keep> {
    let ticket = asked.ticket.clone()?;
    Some(Box::new(move |document| ticket.answered(&answer(document))))
}

/// A new name; with an idempotency key the same for every repeat.
fn name(gate: &Gate, asked: &Asked) -> String {
    let Some(key) = asked.ticket.as_ref().map(Ticket::key) else {
        let random = [gate.entropy.bits(), gate.entropy.bits()];
        return ConversationId::new(gate.clock.now(), random).to_string();
    };
    let (tenant, subject) = (&*asked.principal.tenant, &*asked.principal.subject);
    let hash = match tenant.contains('\n') || subject.contains('\n') {
        true => conversation::digest(["cardan conversation 1", tenant, subject, key]).to_vec(),
        // As 0.1.0 did, so that what it made is found.
        false => digest(&SHA256, format!("{tenant}\n{subject}\n{key}").as_bytes()).as_ref().to_vec(),
    };
    hash[..16].iter().fold("conv_".to_owned(), |id, byte| id + &format!("{byte:02x}"))
}

fn checked(values: Vec<Value>) -> Result<Vec<Participant>, Problem> {
    if values.is_empty() {
        return Err(Problem::because(Code::BodyInvalid, "participants: expected at least one"));
    }
    let (mut participants, mut issues): (Vec<Participant>, Vec<Issue>) = (Vec::new(), Vec::new());
    for (number, value) in values.into_iter().enumerate() {
        let located =
            |issue: Issue| Issue { pointer: format!("/participants/{number}{}", issue.pointer), ..issue };
        match act::check(DocumentKind::Participant, value, &act::Rules::strict()) {
            Ok(Accepted { value: Checked::Participant(participant), .. }) => participants.push(*participant),
            Ok(_) => {}
            Err(found) => issues.extend(found.into_iter().map(located)),
        }
    }
    if issues.is_empty() { Ok(participants) } else { Err(Problem::invalid(Code::BodyInvalid, issues)) }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    after: Option<String>,
    limit: Option<usize>,
}

async fn list(gate: &Gate, asked: Asked) -> Result<Answer, Problem> {
    let page: Page = asked.query()?;
    let limit = page_size(page.limit);
    let page = gate.conversations.list(&asked.principal.caller(), page.after.as_deref(), limit).await?;
    Ok(Answer::ok(&json!({"conversations": page.items, "next": page.next})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Acts {
    after: Option<u64>,
    limit: Option<usize>,
}

async fn one(gate: &Gate, asked: Asked) -> Result<Answer, Problem> {
    let Acts { after, limit } = asked.query()?;
    let limit = limit.unwrap_or(1000).clamp(1, 10_000);
    let id = asked.param("id");
    let document =
        gate.conversations.document(&asked.principal.caller(), id, after.unwrap_or(0), limit).await?;
    let mut answer = Answer::ok(&document.json).at(document.position);
    answer.link = document
        .next
        .map(|after| format!("</v1/conversations/{id}?after={after}&limit={limit}>; rel=\"next\""));
    Ok(answer)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct End {
    status: Option<String>,
    error: Option<Value>,
}

async fn end(gate: &Gate, asked: Asked) -> Result<Answer, Problem> {
    let End { status, error } = asked.document()?;
    let status = match status.as_deref().unwrap_or("completed") {
        "completed" => ConversationStatus::Completed,
        "failed" => ConversationStatus::Failed,
        "cancelled" => ConversationStatus::Cancelled,
        _ => {
            return Err(Problem::because(
                Code::BodyInvalid,
                "status: expected completed, failed or cancelled",
            ));
        }
    };
    let id = asked.param("id");
    let (request, keep) = (asked.request(gate), keep(&asked, Answer::ok));
    let (document, position) = gate.conversations.end(&request, id, (status, error), keep).await?;
    Ok(Answer::ok(&document).at(position))
}
