//! What acts set in motion, as their speakers are told: each run as pending, unknown, done or failed.

use std::time::Duration;

use conversation::{Started, Taken};
use flow::RunView;
use futures_util::future::join_all;
use serde_json::{Value, json};
use store::RunStatus;

use crate::Gate;
use crate::turn::Turn;

/// One list for each act. Waits for the runs as long as the caller's `patience` is; of acts that were taken before it
/// tells how their runs stand now.
pub(crate) async fn of(
    gate: &Gate,
    turn: &Turn,
    taken: &[&Taken],
    patience: Option<Duration>,
) -> Vec<Vec<Value>> {
    let asks = |taken: &Taken| !taken.runs.is_empty() && (patience.is_some() || taken.replayed);
    if !taken.iter().any(|taken| asks(taken)) {
        return taken.iter().map(|taken| taken.runs.iter().map(pending).collect()).collect();
    }
    // All at once: one deadline for the request, not one for each act.
    let each =
        taken.iter().map(|taken| {
            let asks = asks(taken);
            join_all(taken.runs.iter().map(move |run| async move {
                if asks { one(gate, run, patience).await } else { pending(run) }
            }))
        });
    turn.after(join_all(each)).await
}

/// Whether something of it is not over, or not known.
pub(crate) fn are_moving(integrations: &[Value]) -> bool {
    integrations.iter().any(|told| told["status"] == "pending" || told["status"] == "unknown")
}

fn pending(started: &Started) -> Value {
    json!({"system": started.system, "run": started.run, "status": "pending"})
}

async fn one(gate: &Gate, started: &Started, patience: Option<Duration>) -> Value {
    let view = match patience {
        Some(patience) => gate.engine.wait(&started.run, patience).await,
        None => gate.engine.view(&started.run).await,
    };
    view.map_or_else(|_| pending(started), |view| shown(started, &view))
}

fn shown(started: &Started, view: &RunView) -> Value {
    let (system, run) = (&started.system, &started.run);
    if let Some(step) = view.unknown() {
        return json!({"system": system, "run": run, "status": "unknown", "step": step.path});
    }
    match view.status {
        RunStatus::Succeeded => succeeded(started, view),
        // What was wanted is done; the loser of a race waits for a person.
        RunStatus::Parked if view.error.is_none() => succeeded(started, view),
        RunStatus::Failed | RunStatus::Compensated | RunStatus::Cancelled | RunStatus::Parked => {
            failed(started, view)
        }
        RunStatus::Queued
        | RunStatus::Running
        | RunStatus::Waiting
        | RunStatus::Paused
        | RunStatus::Compensating => pending(started),
    }
}

fn succeeded(started: &Started, view: &RunView) -> Value {
    json!({"system": started.system, "run": started.run, "status": "success", "result": view.result})
}

fn failed(started: &Started, view: &RunView) -> Value {
    let error = view.error.as_ref();
    let mut told = json!({
        "system": started.system, "run": started.run, "status": "error",
        "error": error.map_or("the run was cancelled", |error| &error.message),
        "code": error.map_or("flow.cancelled", |error| &error.code),
        "recoverable": error.is_some_and(|error| error.recoverable),
        "outcome": view.status,
    });
    if let Some(rollback) = view.rollback.as_ref().filter(|rollback| !rollback.is_empty()) {
        told["rollback_info"] = json!(rollback);
    }
    told
}
