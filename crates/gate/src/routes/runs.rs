//! Runs of flows.

use flow::Live;
use serde::Deserialize;
use serde_json::{Value, json};
use store::{RunFilter, RunRow, RunStatus};

use super::page_size;
use crate::answer::Answer;
use crate::auth::Permission;
use crate::exchange::Asked;
use crate::openapi::Schema;
use crate::route::{AFTER, Gives, Handler, LIMIT, Optional, Parameter, Route, Takes, Verb};
use crate::{Code, Gate, Problem};

const QUERY: &[Parameter] = &[
    Parameter { name: "status", type_: "string", about: "Only in one of these, separated by commas." },
    Parameter { name: "flow", type_: "string", about: "Only of this flow." },
    Parameter { name: "conversation", type_: "string", about: "Only of this conversation." },
    Parameter { name: "key", type_: "string", about: "Only with this key." },
    Parameter {
        name: "stuck",
        type_: "boolean",
        about: "Only live runs that do not go on as they should, the oldest first: paused, parked, queued, kept in by a \
                guard, or past their SLA. A page may be short while there is a `next`.",
    },
    Parameter {
        name: "system",
        type_: "string",
        about: "Only live runs that wait for this system, for a group that it is a member of, or for a member of this group, \
                the oldest first. A page may be short while there is a `next`.",
    },
    AFTER,
    LIMIT,
];

const fn manage(path: &'static str, name: &'static str, summary: &'static str, handler: Handler) -> Route {
    Route {
        verb: Verb::Post,
        path,
        name,
        summary,
        permission: Permission::RunsDecide,
        query: &[],
        headers: &[],
        takes: Takes::Json(Schema::Command, Optional::Yes),
        gives: Gives { status: 200, schema: Schema::Run },
        problems: &[Code::RunUnknown, Code::RunState, Code::BodyInvalid],
        handler,
        shows: Some(|gate, asked| Box::pin(one(gate, asked))),
    }
}

pub(super) const ROUTES: &[Route] = &[
    Route {
        verb: Verb::Get,
        path: "/v1/runs",
        name: "listRuns",
        summary: "Lists runs, newest first.",
        permission: Permission::FlowRead,
        query: QUERY,
        headers: &[],
        takes: Takes::Nothing,
        gives: Gives { status: 200, schema: Schema::RunList },
        problems: &[Code::QueryInvalid],
        handler: |gate, asked| Box::pin(list(gate, asked)),
        shows: None,
    },
    Route {
        verb: Verb::Get,
        path: "/v1/runs/{id}",
        name: "getRun",
        summary: "Shows a run: its steps, what it waits for, its compensation.",
        permission: Permission::FlowRead,
        query: &[],
        headers: &[],
        takes: Takes::Nothing,
        gives: Gives { status: 200, schema: Schema::Run },
        problems: &[Code::RunUnknown],
        handler: |gate, asked| Box::pin(one(gate, asked)),
        shows: None,
    },
    manage("/v1/runs/{id}/cancel", "cancelRun", "Stops a run and undoes what it did.", |gate, asked| {
        Box::pin(change(gate, asked, Change::Cancel))
    }),
    manage("/v1/runs/{id}/pause", "pauseRun", "Stops a run after the step it is in.", |gate, asked| {
        Box::pin(change(gate, asked, Change::Pause))
    }),
    manage(
        "/v1/runs/{id}/resume",
        "resumeRun",
        "Lets a paused run go on, and one that waits to ask its system again ask now.",
        |gate, asked| Box::pin(change(gate, asked, Change::Resume)),
    ),
    Route {
        takes: Takes::Json(Schema::RestartRun, Optional::No),
        ..manage(
            "/v1/runs/{id}/restart",
            "restartRun",
            "Lets a stopped run go on from a step.",
            |gate, asked| Box::pin(change(gate, asked, Change::Restart)),
        )
    },
    Route {
        takes: Takes::Json(Schema::UndoRun, Optional::Yes),
        ..manage(
            "/v1/runs/{id}/undo",
            "undoRun",
            "Undoes a run that has ended: everything it did, in reverse.",
            |gate, asked| Box::pin(change(gate, asked, Change::Undo)),
        )
    },
    Route {
        takes: Takes::Json(Schema::Reason, Optional::Yes),
        ..manage(
            "/v1/runs/{id}/release-key",
            "releaseKey",
            "Lets others with its key pass a run whose undoing is not over.",
            |gate, asked| Box::pin(change(gate, asked, Change::ReleaseKey)),
        )
    },
    Route {
        permission: Permission::RunsAttest,
        takes: Takes::Json(Schema::SettleStep, Optional::No),
        ..manage(
            "/v1/runs/{id}/settle",
            "settleStep",
            "Says what became of a step whose outcome nobody knows; the run goes on as if it had been answered so.",
            |gate, asked| Box::pin(change(gate, asked, Change::Settle)),
        )
    },
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Query {
    status: Option<String>,
    flow: Option<String>,
    conversation: Option<String>,
    key: Option<String>,
    stuck: Option<bool>,
    system: Option<String>,
    after: Option<u64>,
    limit: Option<usize>,
}

async fn list(gate: &Gate, asked: Asked) -> Result<Answer, Problem> {
    let query: Query = asked.query()?;
    let limit = page_size(query.limit);
    let filter = RunFilter {
        tenant: Some(asked.principal.tenant.to_string()),
        flow: query.flow,
        key: query.key,
        conversation: query.conversation,
        status: statuses(query.status.as_deref())?,
        before: query.after,
        limit,
    };
    let live = Live { stuck: query.stuck == Some(true), system: query.system.as_deref() };
    let (rows, next) = if live.stuck || live.system.is_some() {
        let page = gate.engine.live(live, &filter, query.after.unwrap_or(0)).await?;
        (page.runs, page.next)
    } else {
        let rows = gate.store.runs(&filter).await?;
        let next = rows.last().filter(|_| rows.len() == limit).map(|row| row.position);
        (rows, next)
    };
    let runs: Vec<Value> = rows.iter().map(row).collect();
    Ok(Answer::ok(&json!({"runs": runs, "next": next.map(|next| next.to_string())})))
}

fn statuses(words: Option<&str>) -> Result<Vec<RunStatus>, Problem> {
    let expected = || {
        let all: Vec<&str> = RunStatus::ALL.iter().map(|status| status.as_str()).collect();
        Problem::because(Code::QueryInvalid, format!("status: expected any of {}", all.join(", ")))
    };
    let words = words.into_iter().flat_map(|words| words.split(','));
    words.map(|word| RunStatus::parse(word).ok_or_else(expected)).collect()
}

fn row(row: &RunRow) -> Value {
    let blocked_on: Option<Value> =
        row.blocked_on.as_deref().and_then(|text| serde_json::from_str(text).ok());
    json!({
        "id": row.id, "flow": row.flow, "hash": row.hash, "key": row.key, "status": row.status,
        "conversation": row.conversation, "commit": row.commit, "blocked_on": blocked_on,
        "started": row.started.to_string(), "updated": row.updated.to_string(),
        "ended": row.ended.map(|at| at.to_string()),
    })
}

async fn one(gate: &Gate, asked: Asked) -> Result<Answer, Problem> {
    ours(gate, &asked).await?;
    shown(gate, asked.param("id")).await
}

/// Another organisation's run is as unknown as one that never was.
async fn ours(gate: &Gate, asked: &Asked) -> Result<(), Problem> {
    let row = gate.store.run(asked.param("id")).await?;
    let ours = row.is_some_and(|row| *row.tenant == *asked.principal.tenant);
    if ours { Ok(()) } else { Err(Problem::new(Code::RunUnknown)) }
}

async fn shown(gate: &Gate, id: &str) -> Result<Answer, Problem> {
    let view = gate.engine.view(id).await?;
    let body = serde_json::to_vec(&view).map_err(|_| Problem::new(Code::Internal))?;
    Ok(Answer::bytes(http::StatusCode::OK, body))
}

#[derive(Clone, Copy, Debug)]
enum Change {
    Cancel,
    Pause,
    Resume,
    Restart,
    Undo,
    ReleaseKey,
    Settle,
}

/// What a command may say beside what it is.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Said {
    /// Why, in the person's own words.
    reason: String,
    /// The step, where the command is about one.
    step: Option<String>,
    /// What may have landed and must not be repeated is sent again.
    send_again: bool,
    /// Also below a later run with its key that stands.
    force: bool,
    /// Whether the step landed.
    landed: Option<bool>,
    /// What it answered then.
    output: Value,
}

/// The longest reason, in characters.
const REASON: usize = 500;

impl Said {
    fn fits(&self) -> Result<(), Problem> {
        match self.reason.chars().count() > REASON {
            true => Err(Problem::because(Code::BodyInvalid, format!("reason: at most {REASON} characters"))),
            false => Ok(()),
        }
    }

    fn step(&self) -> Result<&str, Problem> {
        let missing = || Problem::because(Code::BodyInvalid, "step: expected the name of a step");
        self.step.as_deref().ok_or_else(missing)
    }

    /// The output of a step that landed; `None` of one that did not.
    fn outcome(&self) -> Result<Option<Value>, Problem> {
        let refuse = |why| Err(Problem::because(Code::BodyInvalid, why));
        match (self.landed, self.reason.trim().is_empty()) {
            (_, true) => refuse("reason: expected how it was found out"),
            (None, _) => refuse("landed: expected true or false"),
            (Some(true), _) => Ok(Some(self.output.clone())),
            (Some(false), _) => Ok(None),
        }
    }
}

async fn change(gate: &Gate, asked: Asked, change: Change) -> Result<Answer, Problem> {
    ours(gate, &asked).await?;
    let said: Said = asked.document()?;
    said.fits()?;
    let (id, who) = (asked.param("id"), &*asked.principal.subject);
    let by = flow::Author::new(who, said.reason.clone());
    let engine = asked.engine(gate);
    match change {
        Change::Cancel => engine.cancel(id, by).await?,
        Change::Pause => engine.pause(id, by).await?,
        Change::Resume => match &said.step {
            Some(step) if said.send_again => engine.send_again(id, step, by).await?,
            Some(_) => return Err(Problem::because(Code::BodyInvalid, "step: goes with send_again")),
            None => engine.resume(id, said.send_again, by).await?,
        },
        Change::Restart if is_superseded(gate, id).await? => {
            let detail = "its commit was tried anew since: restart the run of the latest try";
            return Err(Problem::because(Code::RunState, detail));
        }
        Change::Restart => engine.restart_from(id, said.step()?, said.send_again, by).await?,
        Change::Settle => engine.settle(id, said.step()?, said.outcome()?, by).await?,
        Change::Undo => engine.undo(id, said.force, by).await?,
        Change::ReleaseKey => engine.release_key(id, by).await?,
    }
    let correlation_id = &*asked.correlation;
    tracing::info!(correlation_id, run = id, ?change, principal = who, "run changed by hand");
    shown(gate, id).await
}

/// Whether a later try of the run's commit has begun.
async fn is_superseded(gate: &Gate, run: &str) -> Result<bool, Problem> {
    let Some(start) = gate.engine.started(run).await? else { return Ok(false) };
    let (Some(conversation), Some(key)) = (&start.conversation, &start.idempotency_key) else {
        return Ok(false);
    };
    Ok(gate.conversations.is_superseded((&start.tenant, conversation), key, start.generation).await?)
}
