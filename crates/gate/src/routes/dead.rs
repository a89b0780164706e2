//! Dead letters: look, mend, try again, or let go.

use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};
use store::{DeadFilter, DeadLetter, DeadState};

use super::page_size;
use crate::answer::Answer;
use crate::auth::Permission;
use crate::exchange::Asked;
use crate::openapi::Schema;
use crate::route::{AFTER, Gives, Handler, LIMIT, Optional, Parameter, Route, Takes, Verb};
use crate::{Code, Gate, Problem};

const STATE: Parameter =
    Parameter { name: "state", type_: "string", about: "open (the default), replayed, discarded or all." };
const SYSTEM: Parameter = Parameter { name: "system", type_: "string", about: "Only of this system." };
const SOURCE: Parameter = Parameter { name: "source", type_: "string", about: "Only of this run." };

const fn route(
    verb: Verb,
    path: &'static str,
    name: &'static str,
    summary: &'static str,
    takes: Takes,
    handler: Handler,
) -> Route {
    let permission = match takes {
        Takes::Nothing => Permission::DeadRead,
        Takes::Json(..) | Takes::Acts => Permission::DeadManage,
    };
    let shows: Option<Handler> = Some(|gate, asked| Box::pin(one(gate, asked)));
    let gives = Gives { status: 200, schema: Schema::DeadLetter };
    let problems = &[Code::DeadUnknown, Code::DeadState];
    Route {
        verb,
        path,
        name,
        summary,
        permission,
        query: &[],
        headers: &[],
        takes,
        gives,
        problems,
        handler,
        shows,
    }
}

const EMPTY: Takes = Takes::Json(Schema::Nothing, Optional::Yes);
const REPLAY: Takes = Takes::Json(Schema::Command, Optional::Yes);
const EDIT: Takes = Takes::Json(Schema::EditDeadLetter, Optional::No);

pub(super) const ROUTES: &[Route] = &[
    Route {
        query: &[STATE, SYSTEM, SOURCE, AFTER, LIMIT],
        gives: Gives { status: 200, schema: Schema::DeadLetterList },
        problems: &[Code::QueryInvalid],
        ..route(
            Verb::Get,
            "/v1/dead",
            "listDeadLetters",
            "Lists dead letters, newest first.",
            Takes::Nothing,
            |gate, asked| Box::pin(list(gate, asked)),
        )
    },
    route(
        Verb::Get,
        "/v1/dead/{id}",
        "getDeadLetter",
        "Shows a dead letter.",
        Takes::Nothing,
        |gate, asked| Box::pin(one(gate, asked)),
    ),
    route(
        Verb::Patch,
        "/v1/dead/{id}",
        "editDeadLetter",
        "Changes an open letter's input.",
        EDIT,
        |gate, asked| Box::pin(edit(gate, asked)),
    ),
    route(
        Verb::Post,
        "/v1/dead/{id}/replay",
        "replayDeadLetter",
        "Tries the call again, under its original idempotency key.",
        REPLAY,
        |gate, asked| Box::pin(replay(gate, asked)),
    ),
    route(
        Verb::Post,
        "/v1/dead/{id}/discard",
        "discardDeadLetter",
        "Decides that the call need not be made.",
        EMPTY,
        |gate, asked| Box::pin(discard(gate, asked)),
    ),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Query {
    state: Option<String>,
    system: Option<String>,
    source: Option<String>,
    after: Option<usize>,
    limit: Option<usize>,
}

async fn list(gate: &Gate, asked: Asked) -> Result<Answer, Problem> {
    let query: Query = asked.query()?;
    let state = match query.state.as_deref() {
        None => Some(DeadState::Open),
        Some("all") => None,
        Some(word) => Some(DeadState::parse(word).ok_or_else(|| {
            Problem::because(Code::QueryInvalid, "state: expected open, replayed, discarded or all")
        })?),
    };
    let (skip, limit) = (query.after.unwrap_or(0), page_size(query.limit));
    let tenant = Some(asked.principal.tenant.to_string());
    let filter = DeadFilter { tenant, system: query.system, source: query.source, state, skip, limit };
    let letters = gate.store.dead(&filter).await?;
    let next = (letters.len() == limit).then(|| (skip + limit).to_string());
    let letters: Vec<Value> = letters.iter().map(shown).collect();
    Ok(Answer::ok(&json!({"dead": letters, "next": next})))
}

async fn one(gate: &Gate, asked: Asked) -> Result<Answer, Problem> {
    Ok(Answer::ok(&shown(&found(gate, &asked).await?)))
}

/// The letter, when it is of the principal's organisation; another's is as unknown as one that never was.
async fn found(gate: &Gate, asked: &Asked) -> Result<DeadLetter, Problem> {
    let letter = gate.store.dead_one(asked.param("id")).await?;
    letter.filter(|letter| *letter.tenant == *asked.principal.tenant).ok_or(Problem::new(Code::DeadUnknown))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    input: Value,
}

async fn edit(gate: &Gate, asked: Asked) -> Result<Answer, Problem> {
    let letter = found(gate, &asked).await?;
    let Edit { input } = asked.document()?;
    asked.engine(gate).edit_dead(&letter.id, &input).await?;
    told(gate, &asked, "edited").await
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Replay {
    /// Why, in the person's own words.
    reason: String,
    /// What may have landed and must not be repeated is sent again.
    send_again: bool,
}

async fn replay(gate: &Gate, asked: Asked) -> Result<Answer, Problem> {
    let letter = found(gate, &asked).await?;
    let Replay { reason, send_again } = asked.document()?;
    let by = flow::Author::new(&*asked.principal.subject, reason);
    asked.engine(gate).replay_dead(&letter.id, send_again, by).await?;
    told(gate, &asked, "replayed").await
}

async fn discard(gate: &Gate, asked: Asked) -> Result<Answer, Problem> {
    let letter = found(gate, &asked).await?;
    asked.engine(gate).discard_dead(&letter.id).await?;
    told(gate, &asked, "discarded").await
}

async fn told(gate: &Gate, asked: &Asked, what: &'static str) -> Result<Answer, Problem> {
    let letter = found(gate, asked).await?;
    let (dead, principal) = (&*letter.id, &*asked.principal.subject);
    tracing::info!(correlation_id = &*letter.correlation, dead, what, principal, "dead letter changed");
    Ok(Answer::ok(&shown(&letter)))
}

/// The shape of two traditions at once: the nested members of the one, the flat ones of the other.
fn shown(letter: &DeadLetter) -> Value {
    let raw = |bytes: &[u8]| -> Option<Box<RawValue>> { serde_json::from_slice(bytes).ok() };
    let attempts: u32 = letter.history.iter().map(|tried| tried.attempts).sum();
    json!({
        "id": letter.id,
        "originalMessage": raw(&letter.input),
        "error": {"message": letter.message, "code": letter.code},
        "metadata": {
            "attempts": attempts, "firstAttempt": letter.first.to_string(), "lastAttempt": letter.last.to_string(),
            "correlationId": letter.correlation, "adapterId": letter.system,
        },
        "errorType": letter.code,
        "timestamp": letter.last.to_string(),
        "retryCount": attempts.saturating_sub(1),
        "source": letter.source, "system": letter.system, "operation": letter.operation,
        "idempotencyKey": letter.key,
        "history": letter.history,
        "state": letter.state, "resolved": letter.resolved.map(|at| at.to_string()),
    })
}
