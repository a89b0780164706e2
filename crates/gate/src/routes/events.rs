//! Live events.

use http::HeaderMap;
use serde::Deserialize;

use crate::auth::Permission;
use crate::exchange::{Answer, Asked};
use crate::openapi::Schema;
use crate::route::{Gives, Parameter, Route, Takes, Verb};
use crate::{Code, Gate, Problem, live};

const AFTER: Parameter = Parameter {
    name: "after",
    type_: "integer",
    about: "Begin after this position; 0 is the beginning. Without it, and without Last-Event-ID, begin now.",
};

const LAST: Parameter = Parameter {
    name: "Last-Event-ID",
    type_: "integer",
    about: "The id of the last event that was seen; wins over `after`.",
};

pub(super) const ROUTES: &[Route] = &[
    Route {
        verb: Verb::Get,
        path: "/v1/events",
        name: "followEvents",
        summary: "Follows the organisation's events as they happen (Server-Sent Events).",
        permission: Permission::EventsRead,
        query: &[AFTER],
        headers: &[LAST],
        takes: Takes::Nothing,
        gives: Gives { status: 200, schema: Schema::EventStream },
        problems: &[Code::QueryInvalid, Code::HeaderInvalid, Code::TooManyStreams],
        handler: |gate, asked| Box::pin(async move { follow(gate, &asked, None) }),
    },
    Route {
        verb: Verb::Get,
        path: "/v1/conversations/{id}/events",
        name: "followConversation",
        summary: "Follows one conversation's events as they happen (Server-Sent Events).",
        permission: Permission::ConversationRead,
        query: &[AFTER],
        headers: &[LAST],
        takes: Takes::Nothing,
        gives: Gives { status: 200, schema: Schema::EventStream },
        problems: &[
            Code::QueryInvalid,
            Code::HeaderInvalid,
            Code::TooManyStreams,
            Code::ConversationUnknown,
            Code::AuthConversation,
        ],
        handler: |gate, asked| Box::pin(conversation(gate, asked)),
    },
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Query {
    after: Option<u64>,
}

async fn conversation(gate: &Gate, asked: Asked) -> Result<Answer, Problem> {
    let id = asked.param("id");
    gate.conversations.header(&asked.principal, id).await?;
    follow(gate, &asked, Some(format!("conversation-{id}")))
}

fn follow(gate: &Gate, asked: &Asked, stream: Option<String>) -> Result<Answer, Problem> {
    let query: Query = asked.query()?;
    let head = *gate.store.head().borrow();
    let after = last_event(&asked.headers)?.or(query.after).unwrap_or(head);
    let free = gate.subscriptions.clone().try_acquire_owned();
    let permit = free.map_err(|_| Problem::new(Code::TooManyStreams))?;
    let wanted = live::Wanted { tenant: asked.principal.tenant.clone(), stream, after };
    let body = live::follow(gate.store.clone(), wanted, gate.limits.heartbeat, gate.stop.subscribe(), permit);
    Ok(Answer::stream("text/event-stream", body))
}

fn last_event(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let Some(value) = headers.get("last-event-id") else { return Ok(None) };
    let position = value.to_str().ok().and_then(|text| text.trim().parse().ok());
    let problem = || Problem::because(Code::HeaderInvalid, "Last-Event-ID: expected a position");
    position.map(Some).ok_or_else(problem)
}
