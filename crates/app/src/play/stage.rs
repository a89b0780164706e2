//! Performs a story against a running server.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};

use super::follow::Follow;
use super::{Story, timeline};
use crate::cli::{Failure, Remote};
use crate::terminal::stdout;

/// How long the work that a story starts may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Plays `story`: says its acts, prints every event as it arrives, ends when the work is done. Returns in which
/// statuses its runs ended, or were put aside.
///
/// `systems` is the address of the simulated systems, whose state is printed at the end.
///
/// # Errors
/// When the server or the simulator cannot be reached or refuses an act.
pub async fn perform(
    story: &Story,
    remote: &Remote,
    systems: Option<&str>,
    pace: Duration,
) -> Result<Vec<String>, Failure> {
    writeln!(stdout(), "{}\n", story.title)?;
    let before = state(systems).await?;
    open(story, remote).await?;
    prepare(story, systems).await?;
    let stage = Stage { remote, start: start() };
    let mut events = stage.listen().await?;
    let mut ends = Vec::new();
    for (number, act) in story.acts.iter().enumerate() {
        stage.say(&story.conversation, number, act).await?;
        ends.extend(stage.watch_for(&mut events, pace).await?);
    }
    if ends.is_empty() && story.acts.iter().any(|act| act["type"] == "commit") {
        ends.push(stage.watch_to_the_end(&mut events).await?);
    }
    ends.extend(stage.watch_for(&mut events, pace).await?);
    let after = state(systems).await?;
    compare(&before, &after)?;
    Ok(ends)
}

#[expect(clippy::disallowed_methods, reason = "the command line is wiring: it reads the real clock")]
fn start() -> Instant {
    Instant::now()
}

#[expect(clippy::disallowed_methods, reason = "the command line is wiring: it reads the real clock")]
fn now() -> Timestamp {
    Timestamp::now()
}

struct Stage<'a> {
    remote: &'a Remote,
    start: Instant,
}

impl Stage<'_> {
    /// Subscribes to everything from now on.
    async fn listen(&self) -> Result<Follow, Failure> {
        let response = self.remote.request(Method::GET, "/v1/events").send().await;
        let response = response.map_err(|error| Failure::new(format!("following events: {error}")))?;
        if !response.status().is_success() {
            return Err(Failure::new(format!("following events: the server answered {}", response.status())));
        }
        Ok(Follow::new(response.bytes_stream()))
    }

    async fn say(&self, conversation: &str, number: usize, act: &Value) -> Result<(), Failure> {
        let mut act = act.clone();
        act["id"] = json!(format!("act_{}_{number}", conversation.trim_start_matches("conv_")));
        act["timestamp"] = json!(now().to_string());
        self.remote.post(&format!("/v1/conversations/{conversation}/acts"), &act).await.map(drop)
    }

    /// Prints what arrives within `period`; tells how the runs ended that are over.
    async fn watch_for(&self, events: &mut Follow, period: Duration) -> Result<Vec<String>, Failure> {
        let deadline = tokio::time::Instant::now() + period;
        let mut ends = Vec::new();
        while let Ok(Some(event)) = tokio::time::timeout_at(deadline, events.next()).await {
            self.print(&event).await?;
            ends.extend(end(&event));
        }
        Ok(ends)
    }

    /// Prints what arrives until a run is over; tells how it ended.
    async fn watch_to_the_end(&self, events: &mut Follow) -> Result<String, Failure> {
        let ended = async {
            while let Some(event) = events.next().await {
                self.print(&event).await?;
                if let Some(end) = end(&event) {
                    return Ok(end);
                }
            }
            Err(Failure::new("following events: the server stopped telling"))
        };
        let late = |_| Failure::new(format!("the work did not end within {} s", PATIENCE.as_secs()));
        tokio::time::timeout(PATIENCE, ended).await.map_err(late)?
    }

    async fn print(&self, event: &Value) -> Result<(), Failure> {
        let (type_, payload) = (event["type"].as_str().unwrap_or_default(), &event["payload"]);
        let line = match event["source"].as_str().and_then(|stream| stream.strip_prefix("run-")) {
            Some(run) => {
                let view = self.remote.get(&format!("/v1/runs/{run}")).await?;
                timeline::done(type_, payload, &view)
            }
            None => timeline::said(type_, payload),
        };
        if let Some(line) = line {
            let since = self.start.elapsed().as_secs_f64();
            writeln!(stdout(), "  {since:>6.3} s  {:<12} {:<15} {}", line.who, line.verb, line.rest)?;
        }
        Ok(())
    }
}

/// How a run has ended, or that it waits for a person.
fn end(event: &Value) -> Option<String> {
    match event["type"].as_str()? {
        "RunEnded" => event["payload"]["status"].as_str().map(str::to_owned),
        "StepExhausted" => Some("paused".to_owned()),
        _ => None,
    }
}

/// Begins the conversation.
async fn open(story: &Story, remote: &Remote) -> Result<(), Failure> {
    let id = &story.conversation;
    if remote.get(&format!("/v1/conversations/{id}")).await.is_ok() {
        return Err(Failure::new(format!(
            "{id} is there already: the story was played here before\n  play it in another conversation with \
             `--conversation {id}_2`, or start the server over an empty store"
        )));
    }
    let body = json!({ "id": id, "participants": story.participants });
    remote.post("/v1/conversations", &body).await.map(drop)
}

/// Tells the simulated systems how to behave.
async fn prepare(story: &Story, systems: Option<&str>) -> Result<(), Failure> {
    for (system, behave) in &story.before {
        let Some(address) = systems else {
            return Err(Failure::new("the story tells the simulated systems how to behave: give --systems"));
        };
        let url = format!("{address}/_sim/{system}/behave");
        let sent = reqwest::Client::new()
            .post(&url)
            .json(behave)
            .send()
            .await
            .and_then(reqwest::Response::error_for_status);
        sent.map_err(|error| Failure::new(format!("preparing {system}: {error}")))?;
    }
    Ok(())
}

async fn state(systems: Option<&str>) -> Result<Value, Failure> {
    let Some(address) = systems else { return Ok(Value::Null) };
    let told =
        async { reqwest::get(format!("{address}/_sim/state")).await?.error_for_status()?.json().await };
    told.await
        .map_err(|error: reqwest::Error| Failure::new(format!("asking the systems at {address}: {error}")))
}

/// Prints what each system holds now that it did not hold before.
fn compare(before: &Value, after: &Value) -> io::Result<()> {
    let Some(systems) = after.as_object() else { return Ok(()) };
    writeln!(stdout(), "\n  the systems now, where they differ from before:")?;
    for (system, state) in systems {
        let mut differences = Vec::new();
        differ("", &before[system], state, &mut differences);
        if differences.is_empty() {
            writeln!(stdout(), "    {system:<10} as it was")?;
        }
        for (at, difference) in differences.iter().enumerate() {
            writeln!(stdout(), "    {:<10} {difference}", if at == 0 { system.as_str() } else { "" })?;
        }
    }
    Ok(())
}

/// Collects the leaves of `after` that `before` does not have, as `path: value`.
fn differ(path: &str, before: &Value, after: &Value, found: &mut Vec<String>) {
    match after {
        _ if before == after => {}
        Value::Object(members) if before.is_object() => {
            for (name, value) in members {
                differ(&format!("{path} {name}"), &before[name], value, found);
            }
        }
        other => found.push(format!("{}: {other}", path.trim_start())),
    }
}
