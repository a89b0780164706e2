//! Signals: what a `listen: { signal: … }` waits for.

use flow::Sent;
use serde::Deserialize;
use serde_json::{Value, json};
use store::RunRow;

use crate::answer::Answer;
use crate::auth::Permission;
use crate::exchange::Asked;
use crate::openapi::Schema;
use crate::route::{Gives, Optional, Parameter, Route, Takes, Verb};
use crate::{Code, Gate, Problem};

const QUERY: &[Parameter] = &[
    Parameter { name: "key", type_: "string", about: "The key of the runs; required." },
    Parameter { name: "flow", type_: "string", about: "Only runs of this flow." },
];
const HEADERS: &[Parameter] = &[Parameter {
    name: "Idempotency-Key",
    type_: "string",
    about: "Makes it one signal however often it is sent, also after it was taken.",
}];

pub(super) const ROUTES: &[Route] = &[
    Route {
        path: "/v1/runs/{id}/signals/{name}",
        name: "signalRun",
        summary: "Sends a signal to a run. It is kept until a `listen` of the run takes it.",
        handler: |gate, asked| Box::pin(to_run(gate, asked)),
        ..SIGNAL
    },
    Route {
        path: "/v1/signals/{name}",
        name: "signalKey",
        summary: "Sends a signal to the live run of each flow that has this key and whose turn it is.",
        query: QUERY,
        handler: |gate, asked| Box::pin(to_key(gate, asked)),
        ..SIGNAL
    },
];

const SIGNAL: Route = Route {
    verb: Verb::Post,
    path: "",
    name: "",
    summary: "",
    permission: Permission::FlowSignal,
    query: &[],
    headers: HEADERS,
    takes: Takes::Json(Schema::SignalPayload, Optional::Yes),
    gives: Gives { status: 202, schema: Schema::Signalled },
    problems: &[Code::RunUnknown, Code::RunState, Code::SignalsFull, Code::QueryInvalid],
    handler: |gate, asked| Box::pin(to_run(gate, asked)),
    // A signal has an id that comes from the caller's key, so sending it again sends none.
    shows: None,
};

/// What the body says; nothing is null.
struct Signal {
    name: String,
    id: String,
    payload: Value,
}

impl Signal {
    /// Its id comes from the caller's key, so that it is one signal also when the kept answer is forgotten.
    fn read(gate: &Gate, asked: &Asked) -> Result<Self, Problem> {
        let id = match &asked.ticket {
            Some(ticket) => ticket.name().to_owned(),
            None => format!("sent/{:016x}{:016x}", gate.entropy.bits(), gate.entropy.bits()),
        };
        let name = asked.param("name").to_owned();
        Ok(Self { name, id, payload: asked.json()?.unwrap_or(Value::Null) })
    }

    async fn send(self, gate: &Gate, asked: &Asked, runs: Vec<RunRow>) -> Result<Answer, Problem> {
        let Self { name, id, payload } = &self;
        for run in &runs {
            gate.engine.send_signal(&run.id, Sent { name, id, payload }).await?;
            let (correlation_id, principal) = (&*asked.correlation, &*asked.principal.subject);
            tracing::info!(correlation_id, run = run.id, signal = name, principal, "signal sent");
        }
        let shown = |run: &RunRow| json!({ "id": run.id, "flow": run.flow, "status": run.status });
        let runs: Vec<Value> = runs.iter().map(shown).collect();
        let said = json!({ "signal": name, "id": id, "runs": runs });
        Ok(Answer::json(http::StatusCode::ACCEPTED, &said))
    }
}

/// Another organisation's run is as unknown as one that never was.
async fn to_run(gate: &Gate, asked: Asked) -> Result<Answer, Problem> {
    let row = gate.store.run(asked.param("id")).await?;
    let ours = row.filter(|row| *row.tenant == *asked.principal.tenant);
    let run = ours.ok_or_else(|| Problem::new(Code::RunUnknown))?;
    Signal::read(gate, &asked)?.send(gate, &asked, vec![run]).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Query {
    key: String,
    flow: Option<String>,
}

async fn to_key(gate: &Gate, asked: Asked) -> Result<Answer, Problem> {
    let Query { key, flow } = asked.query()?;
    let runs = gate.engine.hearing(&asked.principal.tenant, flow.as_deref(), &key).await?;
    if runs.is_empty() {
        let said = format!("no live run has the key {key:?}");
        return Err(Problem::because(Code::RunUnknown, said));
    }
    Signal::read(gate, &asked)?.send(gate, &asked, runs).await
}
