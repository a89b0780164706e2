//! Systems: what they can do and how they are doing.

use port::Spec;
use serde_json::{Value, json};

use crate::auth::Permission;
use crate::exchange::{Answer, Asked};
use crate::openapi::Schema;
use crate::route::{Gives, Optional, Route, Takes, Verb};
use crate::{Code, Gate, Problem};

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
    },
    Route {
        verb: Verb::Post,
        path: "/v1/systems/{name}/reset",
        name: "resetSystem",
        summary: "Closes a system's circuit breaker and forgets its failures.",
        permission: Permission::SystemManage,
        query: &[],
        headers: &[],
        takes: Takes::Json(Schema::Nothing, Optional::Yes),
        gives: Gives { status: 200, schema: Schema::System },
        problems: &[Code::SystemUnknown],
        handler: |gate, asked| Box::pin(async move { reset(gate, &asked) }),
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

fn reset(gate: &Gate, asked: &Asked) -> Result<Answer, Problem> {
    let name = asked.param("name");
    let link = gate.systems.get(name).ok_or(Problem::new(Code::SystemUnknown))?;
    if !gate.control.reset(&link.spec().system) {
        return Err(Problem::because(Code::SystemUnknown, "the system has no circuit breaker"));
    }
    tracing::info!(integration = %link.spec().system, principal = %asked.principal.subject, "breaker reset");
    one(gate, asked)
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
