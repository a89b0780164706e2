//! What is known of entities.

use conversation::entity_json;
use serde::Deserialize;
use serde_json::json;

use super::page_size;
use crate::answer::Answer;
use crate::auth::Permission;
use crate::exchange::Asked;
use crate::openapi::Schema;
use crate::route::{AFTER, Gives, LIMIT, Parameter, Route, Takes, Verb};
use crate::{Code, Gate, Problem};

const PROBLEMS: &[Code] = &[Code::ConversationUnknown, Code::AuthConversation, Code::EntityUnknown];

pub(super) const ROUTES: &[Route] = &[
    Route {
        verb: Verb::Get,
        path: "/v1/conversations/{id}/entities",
        name: "listEntities",
        summary: "Lists a conversation's entities by name.",
        permission: Permission::ConversationRead,
        query: &[AFTER, LIMIT],
        headers: &[],
        takes: Takes::Nothing,
        gives: Gives { status: 200, schema: Schema::EntityList },
        problems: PROBLEMS,
        handler: |gate, asked| Box::pin(list(gate, asked)),
        shows: None,
    },
    Route {
        verb: Verb::Get,
        path: "/v1/conversations/{id}/entities/{entity}",
        name: "getEntity",
        summary: "Reads an entity's state. 304 when it has the tag given as If-None-Match.",
        permission: Permission::ConversationRead,
        query: &[],
        headers: &[Parameter {
            name: "If-None-Match",
            type_: "string",
            about: "The ETag of the state that is known.",
        }],
        takes: Takes::Nothing,
        gives: Gives { status: 200, schema: Schema::Entity },
        problems: PROBLEMS,
        handler: |gate, asked| Box::pin(one(gate, asked)),
        shows: None,
    },
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Query {
    after: Option<String>,
    limit: Option<usize>,
}

async fn list(gate: &Gate, asked: Asked) -> Result<Answer, Problem> {
    let Query { after, limit } = asked.query()?;
    let limit = page_size(limit);
    let page = gate
        .conversations
        .entities(&asked.principal.caller(), asked.param("id"), after.as_deref(), limit)
        .await?;
    Ok(Answer::ok(&json!({"entities": page.items, "next": page.next})))
}

async fn one(gate: &Gate, asked: Asked) -> Result<Answer, Problem> {
    let (id, entity) = (asked.param("id"), asked.param("entity"));
    let (state, position) = gate.conversations.entity(&asked.principal.caller(), id, entity).await?;
    // A row is written exactly when the entity changes, so the position of its writing names its state.
    let tag = format!("\"{position}\"");
    if asked.header("if-none-match").is_some_and(|known| matches(known, &tag)) {
        return Ok(Answer::unmodified(tag).at(position));
    }
    let mut answer = Answer::ok(&entity_json(&state)).at(position);
    answer.etag = Some(tag);
    Ok(answer)
}

/// Weak comparison, as If-None-Match has it (RFC 9110 §13.1.2).
fn matches(known: &str, tag: &str) -> bool {
    known
        .split(',')
        .map(str::trim)
        .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}
