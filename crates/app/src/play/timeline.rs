//! What happened, one line each, for a person.

use std::io::{self, Write};

use serde_json::Value;

use super::waits;
use crate::terminal::stdout;

/// One line of the timeline: who, what, and the rest.
#[derive(Debug, PartialEq)]
pub(super) struct Line {
    pub(super) who: String,
    pub(super) verb: &'static str,
    pub(super) rest: String,
}

fn line(who: impl Into<String>, verb: &'static str, rest: impl Into<String>) -> Line {
    Line { who: who.into(), verb, rest: rest.into() }
}

/// The line of a conversation's event; `None` for what a reader of the story can do without.
pub(super) fn said(type_: &str, payload: &Value) -> Option<Line> {
    match type_ {
        "ActProcessed" => act(&payload["act"]),
        "entity-validation-error" => {
            Some(line("rules", "refuses", format!("{} {}", text(&payload["entityId"]), payload["errors"])))
        }
        _ => None,
    }
}

fn act(act: &Value) -> Option<Line> {
    let who = text(&act["speaker"]);
    let entity = act["entity"].as_str().unwrap_or_else(|| act["entity"]["id"].as_str().unwrap_or_default());
    Some(match act["type"].as_str()? {
        "ask" => line(who, "asks", format!("{}: {}", text(&act["field"]), text(&act["prompt"]))),
        "fact" => line(who, "states", format!("{entity}.{} = {}", text(&act["field"]), text(&act["value"]))),
        "confirm" if act["confirmed"] == true => line(who, "confirms", text(&act["summary"])),
        "confirm" => line(who, "asks to confirm", text(&act["summary"])),
        "commit" => commit(who, entity, act),
        "error" => line(who, "reports", format!("{}: {}", text(&act["code"]), text(&act["message"]))),
        _ => return None,
    })
}

fn commit(who: String, entity: &str, act: &Value) -> Line {
    let what = format!("{} {entity} in {}", text(&act["action"]), text(&act["system"]));
    match act["status"].as_str() {
        Some("in_progress") => line(who, "has begun", what),
        Some("success") => line(who, "has done", what),
        Some("failed") => line(who, "could not", format!("{what}: {}", text(&act["error"]["message"]))),
        _ => line(who, "commits", what),
    }
}

/// The line of a run's event. `view` is the run as it stands, for the names of systems and operations.
pub(super) fn done(type_: &str, payload: &Value, view: &Value) -> Option<Line> {
    let path = text(&payload["path"]);
    let call = || called(view, &path);
    Some(match type_ {
        "RunStarted" => line("flow", "starts", format!("{} ({})", text(&view["flow"]), text(&view["id"]))),
        "StepSucceeded" if call().is_empty() => return None,
        "StepSucceeded" if is_told(view, &path) => {
            line("flow", "wrote down", format!("{path:<15} {:<18} to be delivered", call()))
        }
        "StepSucceeded" => line("flow", "did", format!("{path:<15} {:<18} {} ms", call(), payload["ms"])),
        "TellDelivered" => line("flow", "delivered", format!("{path:<15} {}", call())),
        "TellDied" => {
            let why = text(&payload["error"]["message"]);
            line(
                "flow",
                "could not deliver",
                format!("{path:<15} {:<18} {why}; see `cardan dead list`", call()),
            )
        }
        "StepFailed" => {
            let why = text(&payload["error"]["message"]);
            line("flow", "failed at", format!("{path:<15} {:<18} {} ms: {why}", call(), payload["ms"]))
        }
        "StepBlocked" => line("flow", "waits for", format!("{path}: {}", text(&payload["reason"]))),
        "StepExhausted" => {
            let why = text(&payload["error"]["message"]);
            line("flow", "gives up at", format!("{path:<15} {:<18} {why}; see `cardan dead list`", call()))
        }
        "StepRetried" => {
            line("flow", "tries again", format!("{path}: {}", text(&payload["error"]["message"])))
        }
        "StepUnknown" => line("flow", "does not know", format!("whether {path} landed")),
        "StepCompensated" => {
            line("flow", "undid", format!("{path:<15} {:<18} {} ms", undone(view, &path), payload["ms"]))
        }
        "CompensationParked" if unknown(view) == Some(&path) => {
            line("flow", "does not know", format!("whether {path} landed"))
        }
        "CompensationParked" => {
            line("flow", "could not undo", format!("{path}: {}", text(&payload["error"]["message"])))
        }
        "RunPaused" => line("flow", "pauses", text(&payload["by"])),
        "SlaBreached" => line("flow", "is late", "the flow's SLA is breached"),
        "RunEnded" => line("flow", "ended", text(&payload["status"])),
        _ => return None,
    })
}

/// `system.operation` of a step; empty for steps that call nothing.
fn called(view: &Value, path: &str) -> String {
    named(&view["steps"], path)
}

fn undone(view: &Value, path: &str) -> String {
    named(&view["compensation"], path)
}

fn named(steps: &Value, path: &str) -> String {
    found(steps, path).and_then(call_of).unwrap_or_default()
}

fn found<'a>(steps: &'a Value, path: &str) -> Option<&'a Value> {
    steps.as_array().into_iter().flatten().find(|step| step["path"] == path)
}

/// Whether a step is done when its message is written down, delivered or not.
fn is_told(view: &Value, path: &str) -> bool {
    found(&view["steps"], path).is_some_and(|step| step["task"] == "tell")
}

/// `system.operation`, and the member of a group that acted.
fn call_of(step: &Value) -> Option<String> {
    let (system, operation) = (step["system"].as_str()?, step["operation"].as_str()?);
    let at = step["member"].as_str().map(|member| format!(" at {member}")).unwrap_or_default();
    Some(format!("{system}.{operation}{at}"))
}

/// A run, whole, as `cardan flow show` prints it.
///
/// # Errors
/// When nobody reads it.
pub fn print_run(view: &Value) -> io::Result<()> {
    let mut stdout = stdout();
    writeln!(stdout, "{}  {}  {}", text(&view["id"]), text(&view["flow"]), text(&view["status"]))?;
    let doubt = unknown(view).filter(|_| view["status"] == "parked");
    let doubt = doubt.map(|step| format!("a person: nobody knows whether {step} landed"));
    if let Some(waits) = doubt.or_else(|| waits::words(&view["blocked_on"], waits::now())) {
        writeln!(stdout, "  waits for     {waits}")?;
    }
    if let Some(hint) = hint(view) {
        writeln!(stdout, "  to go on      {hint}")?;
    }
    for (heading, steps) in [("steps", &view["steps"]), ("compensation", &view["compensation"])] {
        for (at, step) in steps.as_array().into_iter().flatten().enumerate() {
            let label = if at == 0 { heading } else { "" };
            writeln!(stdout, "  {label:<13} {}", summary(step))?;
            for told in doubts(step) {
                writeln!(stdout, "  {:<13} {:<15} {told}", "", "")?;
            }
        }
    }
    for (at, decided) in view["decisions"].as_array().into_iter().flatten().enumerate() {
        let label = if at == 0 { "decided" } else { "" };
        writeln!(stdout, "  {label:<13} {}", decision(decided))?;
    }
    if !view["error"].is_null() {
        writeln!(
            stdout,
            "  error         {}: {}",
            text(&view["error"]["code"]),
            text(&view["error"]["message"])
        )?;
    }
    if !view["result"].is_null() {
        writeln!(stdout, "  result        {}", view["result"])?;
    }
    Ok(())
}

/// What somebody decided, when, and why.
fn decision(decided: &Value) -> String {
    let step = decided["step"].as_str().map(|step| format!(" {step}")).unwrap_or_default();
    let again = if decided["send_again"] == true { ", to be sent again" } else { "" };
    let by = decided["by"].as_str().filter(|by| !by.is_empty());
    let by = by.map(|by| format!(" by {by}")).unwrap_or_default();
    let why = decided["reason"].as_str().map(|why| format!(": {why}")).unwrap_or_default();
    format!("{} {}{step}{by}{again}{why}", text(&decided["at"]), text(&decided["what"]))
}

/// How it was found out what became of a step: each look-up, and who settled it.
fn doubts(step: &Value) -> Vec<String> {
    let looks = step["looks"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut told: Vec<String> = looks.iter().map(look).collect();
    let settled = &step["settled"];
    if settled.is_object() {
        let reason = text(&settled["reason"]);
        let why = if reason.is_empty() { reason } else { format!(": {reason}") };
        told.push(format!("settled by {}{why}", text(&settled["by"])));
    }
    told
}

fn look(look: &Value) -> String {
    let found = match look["found"].as_bool() {
        Some(true) => "found",
        Some(false) => "found nothing",
        None => "could not be made",
    };
    let answer = if look["answer"].is_null() { String::new() } else { format!(": {}", look["answer"]) };
    format!("look-up at {} {found}{answer}", text(&look["at"]))
}

/// What a person can do about a run that does not go on by itself, or not yet.
fn hint(view: &Value) -> Option<String> {
    let (run, letter) = (text(&view["id"]), &view["blocked_on"]["letter"]);
    let choice =
        format!("`cardan flow resume {run}` tries the step again, `cardan flow cancel {run}` undoes the run");
    Some(match (view["status"].as_str()?, letter["state"].as_str()) {
        ("paused", Some("discarded")) => format!("its dead letter was discarded: {choice}"),
        ("paused", _) if view["blocked_on"]["reason"] == "outcome_unknown" => settle(view),
        ("paused", Some("open")) => {
            let letter = text(&letter["id"]);
            format!(
                "`cardan dead show {letter}`, then replay or discard it; `cardan flow cancel {run}` undoes the run"
            )
        }
        ("paused", Some(_)) => choice,
        ("paused", None) => format!("`cardan flow resume {run}`, or `cardan flow cancel {run}` to undo it"),
        ("parked", _) if unknown(view).is_some() => settle(view),
        ("parked", _) => "what could not be undone is in `cardan dead list`".to_owned(),
        ("queued", _) => queued(&view["blocked_on"]["on"]),
        ("waiting" | "compensating", _) => return waiting(view),
        _ => return None,
    })
}

/// The first step, or undoing of one, of which nobody knows whether it landed.
fn unknown(view: &Value) -> Option<&str> {
    let steps = [&view["steps"], &view["compensation"]].into_iter().filter_map(Value::as_array).flatten();
    steps.filter(|step| step["status"] == "unknown").find_map(|step| step["path"].as_str())
}

/// Somebody finds out what became of the step.
fn settle(view: &Value) -> String {
    let run = text(&view["id"]);
    let step = unknown(view).map_or_else(|| text(&view["blocked_on"]["step"]), str::to_owned);
    format!("`cardan flow settle {run} {step}` says whether it landed; `cardan inbox` has the whole command")
}

/// By itself, when the run ahead has ended.
fn queued(on: &Value) -> String {
    match on["run"].as_str() {
        Some(ahead) => format!("by itself, after {ahead}: `cardan flow show {ahead}`"),
        None => "by itself, when its turn comes".to_owned(),
    }
}

/// By itself, unless it needs an answer.
fn waiting(view: &Value) -> Option<String> {
    let blocked = &view["blocked_on"];
    let run = text(&view["id"]);
    Some(match (blocked["reason"].as_str()?, blocked["system"].as_str()) {
        ("answer", _) => match blocked["on"]["signal"].as_str() {
            Some(signal) => {
                format!("`cardan flow signal {run} {signal}`; `cardan flow cancel {run}` undoes the run")
            }
            None => format!("it needs the answer; `cardan flow cancel {run}` undoes the run"),
        },
        ("blocked", _) => {
            format!("configure it and start the server again; `cardan flow cancel {run}` undoes the run")
        }
        ("timer", _) => "by itself, when its time comes".to_owned(),
        (_, Some(system)) => {
            format!("by itself, or now with `cardan flow resume {run}`; see `cardan system show {system}`")
        }
        (_, None) => format!("by itself, or now with `cardan flow resume {run}`; see `cardan system list`"),
    })
}

fn summary(step: &Value) -> String {
    let call = call_of(step).unwrap_or_else(|| text(&step["task"]));
    let error = step["error"]["message"].as_str().map(|why| format!("  {why}")).unwrap_or_default();
    // A step that calls nothing, or has not called yet, took no time worth telling.
    let effort = match step["duration_ms"].as_u64().filter(|_| step["attempts"] != 0) {
        Some(took) => format!("{:>3} × {took:>6} ms", text(&step["attempts"])),
        None => String::new(),
    };
    let status = match step["delivery"].as_str() {
        Some("pending") => "written down to be delivered".to_owned(),
        Some("dead") => "not delivered: see `cardan dead list`".to_owned(),
        Some(delivery) if step["status"] == "succeeded" => delivery.to_owned(),
        Some(_) | None => stands(step),
    };
    let line = format!("{:<15} {call:<20} {status:<11} {effort}{error}", text(&step["path"]));
    line.trim_end().to_owned()
}

/// How a step stands, in words.
fn stands(step: &Value) -> String {
    match step["status"].as_str() {
        Some("unknown") => "nobody knows whether it landed".to_owned(),
        Some("verifying") => "it is found out whether it landed".to_owned(),
        _ => text(&step["status"]),
    }
}

/// A JSON value without quotes around text; empty for null.
fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
