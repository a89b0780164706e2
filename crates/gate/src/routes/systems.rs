//! Systems: what they can do and how they are doing.

use port::Spec;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::auth::Permission;
use crate::exchange::{Answer, Asked};
use crate::openapi::Schema;
use crate::route::{Gives, Optional, Route, Takes, Verb};
use crate::{Code, Gate, Mode, Problem, Which};

pub(super) const ROUTES: &[Route] = &[
    Route {
        verb: Verb::Get,
        path: "/v1/systems",
        name: "listSystems",
        summary: "Lists the configured systems.",
        permission: Permission::SystemRead,
        query: &[],
        headers: &[],
        takes: Takes::Nothing,
        gives: Gives { status: 200, schema: Schema::SystemList },
        problems: &[],
        handler: |gate, _| Box::pin(async { Ok(list(gate)) }),
        shows: None,
    },
    Route {
        verb: Verb::Get,
        path: "/v1/systems/{name}",
        name: "getSystem",
        summary: "Shows what a system can do and how it is doing.",
        permission: Permission::SystemRead,
        query: &[],
        headers: &[],
        takes: Takes::Nothing,
        gives: Gives { status: 200, schema: Schema::System },
        problems: &[Code::SystemUnknown],
        handler: |gate, asked| Box::pin(async move { one(gate, &asked) }),
        shows: None,
    },
    Route {
        verb: Verb::Post,
        path: "/v1/systems/{name}/reset",
        name: "resetSystem",
        summary: "Closes a system's circuit breakers, or those of one operation, tenant or model, and forgets their \
                  failures.",
        permission: Permission::SystemManage,
        query: &[],
        headers: &[],
        takes: Takes::Json(Schema::ResetGuard, Optional::Yes),
        gives: Gives { status: 200, schema: Schema::System },
        problems: &[Code::BodyInvalid, Code::SystemUnknown, Code::BreakerUnknown],
        handler: |gate, asked| Box::pin(async move { reset(gate, &asked).await }),
        shows: None,
    },
    Route {
        verb: Verb::Put,
        path: "/v1/systems/{name}/guard",
        name: "setSystemGuard",
        summary: "Tells a system's circuit breakers, or those of one operation, tenant or model, to reject every call \
                  (forced_open), to let every call pass and judge none (disabled), to judge and report but let \
                  every call pass (observe_only), or to judge and act (automatic). Until told otherwise or \
                  restarted: a server that starts is automatic in everything.",
        permission: Permission::SystemManage,
        query: &[],
        headers: &[],
        takes: Takes::Json(Schema::SetGuard, Optional::No),
        gives: Gives { status: 200, schema: Schema::GuardSet },
        problems: &[Code::BodyInvalid, Code::SystemUnknown, Code::BreakerUnknown],
        handler: |gate, asked| Box::pin(async move { switch(gate, &asked).await }),
        shows: None,
    },
];

fn list(gate: &Gate) -> Answer {
    let systems: Vec<Value> =
        gate.systems.iter().map(|(name, link)| shown(gate, name, link.spec())).collect();
    Answer::ok(&json!({"systems": systems}))
}

fn one(gate: &Gate, asked: &Asked) -> Result<Answer, Problem> {
    let name = asked.param("name");
    let link = gate.systems.get(name).ok_or(Problem::new(Code::SystemUnknown))?;
    Ok(Answer::ok(&shown(gate, &link.spec().system, link.spec())))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reset {
    operation: Option<String>,
    key: Option<String>,
}

async fn reset(gate: &Gate, asked: &Asked) -> Result<Answer, Problem> {
    let name = asked.param("name");
    let link = gate.systems.get(name).ok_or(Problem::new(Code::SystemUnknown))?;
    let Reset { operation, key } = asked.document()?;
    let which = Which { operation, key };
    gate.control.reset(&link.spec().system, &which).map_err(unknown)?;
    tracing::info!(
        correlation_id = &*asked.correlation,
        integration_system = &*link.spec().system,
        integration_operation = which.operation,
        breaker_key = which.key,
        principal = &*asked.principal.subject,
        "breaker reset"
    );
    wake(gate, asked, &link.spec().system).await?;
    one(gate, asked)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Switch {
    mode: Mode,
    operation: Option<String>,
    key: Option<String>,
}

async fn switch(gate: &Gate, asked: &Asked) -> Result<Answer, Problem> {
    let link = gate.systems.get(asked.param("name")).ok_or(Problem::new(Code::SystemUnknown))?;
    let Switch { mode, operation, key } = asked.document()?;
    let (name, which) = (&*link.spec().system, Which { operation, key });
    let was = gate.control.switch(name, &which, mode).map_err(unknown)?;
    // A warning also on the way back: whoever reads the log sees from when to when.
    tracing::warn!(
        correlation_id = &*asked.correlation,
        integration_system = name,
        integration_operation = which.operation,
        breaker_key = which.key,
        principal = &*asked.principal.subject,
        from = was.map_or("mixed", Mode::as_str),
        to = mode.as_str(),
        "breaker told by an operator"
    );
    if mode != Mode::ForcedOpen {
        wake(gate, asked, name).await?;
    }
    let status = gate.control.status(name);
    Ok(Answer::ok(&json!({
        "name": name, "operation": which.operation, "key": which.key, "mode": mode, "was": was,
        "survives_restart": false, "status": status,
    })))
}

/// The runs and messages that a breaker of it kept waiting need not wait for their time.
async fn wake(gate: &Gate, asked: &Asked, system: &str) -> Result<(), Problem> {
    let (runs, messages) = (gate.engine.wake(system), gate.engine.hurry(system).await?);
    let correlation_id = &*asked.correlation;
    tracing::info!(
        correlation_id,
        integration_system = system,
        runs,
        messages,
        "what waited was asked to try again"
    );
    Ok(())
}

fn unknown(why: String) -> Problem {
    Problem::because(Code::BreakerUnknown, why)
}

fn shown(gate: &Gate, name: &str, spec: &Spec) -> Value {
    let operations: Vec<Value> = spec.operations.iter().map(operation).collect();
    json!({
        "name": name, "adapter": spec.adapter, "version": spec.version, "operations": operations,
        "status": gate.control.status(&spec.system),
    })
}

fn operation(operation: &port::Operation) -> Value {
    json!({
        "name": operation.name, "summary": operation.summary, "repeat": operation.repeat, "undo": operation.undo,
        "input": operation.input, "output": operation.output,
    })
}
