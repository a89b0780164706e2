//! The outbox: what runs told systems and is not delivered yet.

use serde::Deserialize;
use serde_json::json;
use store::OutboxFilter;

use super::{page_size, since};
use crate::answer::Answer;
use crate::auth::Permission;
use crate::exchange::Asked;
use crate::openapi::Schema;
use crate::route::{AFTER, Gives, LIMIT, Parameter, Route, Takes, Verb};
use crate::{Code, Gate, Problem};

const QUERY: &[Parameter] =
    &[Parameter { name: "system", type_: "string", about: "Only what goes to this system." }, AFTER, LIMIT];

pub(super) const ROUTES: &[Route] = &[Route {
    verb: Verb::Get,
    path: "/v1/outbox",
    name: "listOutbox",
    summary: "Lists messages of `tell` that are not delivered yet, the oldest first, with what each waits for.",
    permission: Permission::FlowRead,
    query: QUERY,
    headers: &[],
    takes: Takes::Nothing,
    gives: Gives { status: 200, schema: Schema::Outbox },
    problems: &[Code::QueryInvalid],
    handler: |gate, asked| Box::pin(list(gate, asked)),
    shows: None,
}];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Query {
    system: Option<String>,
    after: Option<String>,
    limit: Option<usize>,
}

async fn list(gate: &Gate, asked: Asked) -> Result<Answer, Problem> {
    let Query { system, after, limit } = asked.query()?;
    let limit = page_size(limit);
    let after = after.map(|after| since(&after)).transpose()?;
    let filter = OutboxFilter { tenant: Some(asked.principal.tenant.to_string()), system, after, limit };
    let outbox = gate.engine.undelivered(&filter).await?;
    let last = outbox.last().filter(|_| outbox.len() == limit);
    let next = last.map(|last| format!("{}/{}", last.since, last.id));
    Ok(Answer::ok(&json!({"outbox": outbox, "next": next})))
}
