//! Live events.

use http::HeaderMap;
use serde::Deserialize;

use crate::answer::Answer;
use crate::auth::Permission;
use crate::exchange::Asked;
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
        problems: &[Code::QueryInvalid, Code::HeaderInvalid, Code::PositionAhead, Code::TooManyStreams],
        handler: |gate, asked| Box::pin(async move { follow(gate, &asked, None).await }),
        shows: None,
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
            Code::PositionAhead,
            Code::TooManyStreams,
            Code::ConversationUnknown,
            Code::AuthConversation,
        ],
        handler: |gate, asked| Box::pin(conversation(gate, asked)),
        shows: None,
    },
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Query {
    after: Option<u64>,
}

async fn conversation(gate: &Gate, asked: Asked) -> Result<Answer, Problem> {
    let id = asked.param("id");
    gate.conversations.header(&asked.principal.caller(), id).await?;
    follow(gate, &asked, Some(format!("conversation-{id}"))).await
}

async fn follow(gate: &Gate, asked: &Asked, stream: Option<String>) -> Result<Answer, Problem> {
    let query: Query = asked.query()?;
    let head = *gate.store.head().borrow();
    let after = last_event(&asked.headers)?.or(query.after).unwrap_or(head);
    if after > head {
        must_be_ours(gate, after, head).await?;
    }
    let free = gate.subscriptions.clone().try_acquire_owned();
    let permit = free.map_err(|_| Problem::new(Code::TooManyStreams))?;
    let wanted = live::Wanted { tenant: asked.principal.tenant.clone(), stream, after };
    let body = live::follow(gate.store.clone(), wanted, gate.limits.heartbeat, gate.stop.subscribe(), permit);
    Ok(Answer::stream("text/event-stream", body))
}

/// Refuses a position that nothing has: its holder saw another history (a backup was restored, or another store is
/// served), and would wait for ever. What was read a moment ago may be a little ahead of the announced end.
async fn must_be_ours(gate: &Gate, after: u64, head: u64) -> Result<(), Problem> {
    if !gate.store.log(after - 1, 1).await?.is_empty() {
        return Ok(());
    }
    let detail = format!(
        "position {after} is of another history: the log ends at {head}; read anew what you hold, and follow without a position"
    );
    Err(Problem::because(Code::PositionAhead, detail).with("head", head))
}

fn last_event(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let Some(value) = headers.get("last-event-id") else { return Ok(None) };
    let position = value.to_str().ok().and_then(|text| text.trim().parse().ok());
    let problem = || Problem::because(Code::HeaderInvalid, "Last-Event-ID: expected a position");
    position.map(Some).ok_or_else(problem)
}
