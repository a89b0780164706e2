//! Systems: what they can do and how they are doing.

use std::time::Duration;

use jiff::Timestamp;
use port::Spec;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::auth::Permission;
use crate::exchange::Asked;
use crate::modes::{Order, Refused};
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
                  every call pass (observe_only), or to judge and act (automatic). Until told otherwise, or until the \
                  time that is given; also after a restart.",
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
    gate.modes.control().reset(&link.spec().system, &which).map_err(unknown)?;
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
    /// When it ends by itself.
    until: Option<Timestamp>,
    /// The same, counted from now.
    for_ms: Option<u64>,
    /// Why, in the operator's own words.
    #[serde(default)]
    reason: String,
}

/// The longest reason, in characters.
const REASON: usize = 500;

impl Switch {
    fn order(self, by: &str, now: Timestamp) -> Result<Order, Problem> {
        let until = self.until(now)?;
        let Self { mode, operation, key, reason, .. } = self;
        if reason.chars().count() > REASON {
            return Err(Problem::because(Code::BodyInvalid, format!("reason: at most {REASON} characters")));
        }
        Ok(Order { operation, key, mode, by: by.to_owned(), reason, since: now, until })
    }

    fn until(&self, now: Timestamp) -> Result<Option<Timestamp>, Problem> {
        let refuse = |why: &str| Err(Problem::because(Code::BodyInvalid, why));
        match (self.until, self.for_ms) {
            (Some(_), Some(_)) => refuse("until, for_ms: expected one of them"),
            (Some(until), None) if until <= now => refuse("until: expected a time that is still to come"),
            (None, Some(0)) => refuse("for_ms: expected at least 1"),
            (None, Some(span)) => Ok(now.checked_add(Duration::from_millis(span)).ok()),
            (until, None) => Ok(until),
        }
    }
}

async fn switch(gate: &Gate, asked: &Asked) -> Result<Answer, Problem> {
    let link = gate.systems.get(asked.param("name")).ok_or(Problem::new(Code::SystemUnknown))?;
    let said: Switch = asked.document()?;
    let order = said.order(&asked.principal.subject, gate.clock.now())?;
    let name = &*link.spec().system;
    let was = gate.modes.give(name, order.clone()).await.map_err(refused)?;
    tell(asked, name, &order, was);
    if order.mode != Mode::ForcedOpen {
        wake(gate, asked, name).await?;
    }
    let Order { operation, key, mode, by, reason, until, .. } = order;
    let status = gate.modes.control().status(name);
    Ok(Answer::ok(&json!({
        "name": name, "operation": operation, "key": key, "mode": mode, "was": was, "by": by, "reason": reason,
        "until": until, "survives_restart": true, "status": status,
    })))
}

fn tell(asked: &Asked, system: &str, order: &Order, was: Option<Mode>) {
    // A warning also on the way back: whoever reads the log sees from when to when.
    tracing::warn!(
        correlation_id = &*asked.correlation,
        integration_system = system,
        integration_operation = order.operation,
        breaker_key = order.key,
        principal = order.by,
        reason = order.reason,
        until = order.until.map(tracing::field::display),
        from = was.map_or("mixed", Mode::as_str),
        to = order.mode.as_str(),
        "breaker told by an operator"
    );
}

fn refused(why: Refused) -> Problem {
    match why {
        Refused::Unknown(why) => unknown(why),
        Refused::Store(error) => error.into(),
    }
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
        "status": gate.modes.control().status(&spec.system), "orders": gate.modes.of(&spec.system),
    })
}

fn operation(operation: &port::Operation) -> Value {
    json!({
        "name": operation.name, "summary": operation.summary, "repeat": operation.repeat, "undo": operation.undo,
        "input": operation.input.document(), "output": operation.output.document(),
    })
}
