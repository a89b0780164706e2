//! `cardan system list|show|reset|force-open|disable|observe|automatic`

use std::io::{Write, stdout};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Value, json};

use super::{Done, Failure, Remote, table};

#[derive(Debug, Subcommand)]
pub(super) enum System {
    /// List the connected systems with the state of their breakers
    List {
        #[command(flatten)]
        remote: Remote,
    },
    /// Show one: operations, guard, breaker, calls in flight
    Show(Target),
    /// Close the system's breaker and forget its failures
    Reset(Target),
    /// Reject every call; what flows want of the system waits. Until changed, or until the server restarts
    ForceOpen(Target),
    /// Let every call pass and judge none. Until changed, or until the server restarts
    Disable(Target),
    /// Judge and report, but let every call pass. Until changed, or until the server restarts
    Observe(Target),
    /// Judge and act again, as after a restart
    Automatic(Target),
}

#[derive(Debug, Args)]
pub(super) struct Target {
    /// The system's name
    name: String,
    #[command(flatten)]
    remote: Remote,
}

impl System {
    pub(super) async fn run(self) -> Done {
        match self {
            System::List { remote } => {
                let page = remote.get("/v1/systems").await?;
                let headings = ["system", "adapter", "breaker", "mode", "in flight", "queued", "limit"];
                table::print(&headings, &lanes(&page["systems"]), "no systems are configured")?;
            }
            System::Show(target) => table::json(&target.remote.get(&target.path("")).await?)?,
            System::Reset(target) => {
                target.remote.post(&target.path("/reset"), &json!({})).await?;
                writeln!(stdout(), "{}: reset", target.name)?;
            }
            System::ForceOpen(target) => target.switch("forced_open").await?,
            System::Disable(target) => target.switch("disabled").await?,
            System::Observe(target) => target.switch("observe_only").await?,
            System::Automatic(target) => target.switch("automatic").await?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Target {
    fn path(&self, tail: &str) -> String {
        format!("/v1/systems/{}{tail}", self.name)
    }

    async fn switch(&self, mode: &str) -> Result<(), Failure> {
        let request = self.remote.request(Method::PUT, &self.path("/guard")).json(&json!({ "mode": mode }));
        let told = self.remote.send(request).await?;
        let passing = told["survives_restart"] == false && mode != "automatic";
        let until = if passing { "; until changed, or until the server restarts" } else { "" };
        writeln!(stdout(), "{}: {mode}, was {}{until}", self.name, table::cell(&told["was"]))?;
        Ok(())
    }
}

/// A row for each breaker of each system.
fn lanes(systems: &Value) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for system in systems.as_array().into_iter().flatten() {
        let status = &system["status"];
        if let Some(members) = status["members"].as_array() {
            rows.push(group(system, members));
        }
        for lane in status["lanes"].as_array().into_iter().flatten() {
            let state = effective(&status["mode"], &lane["state"]);
            let cells = [
                &system["name"],
                &system["adapter"],
                &state,
                &status["mode"],
                &lane["in_flight"],
                &lane["queued"],
            ];
            let mut cells: Vec<String> = cells.into_iter().map(table::cell).collect();
            cells.push(limit(lane));
            rows.push(cells);
        }
    }
    rows
}

/// How a breaker lets calls out: what it judges, unless an operator told it something else. No mode, no breaker.
fn effective(mode: &Value, judged: &Value) -> Value {
    match mode.as_str() {
        None => Value::Null,
        Some("forced_open") => json!("open"),
        Some("disabled") => json!("closed"),
        Some(_) => judged.clone(),
    }
}

/// A group has no breaker of its own. A member that failed lately is asked first less often.
fn group(system: &Value, members: &[Value]) -> Vec<String> {
    let member = |member: &Value| match member["share_percent"].as_u64() {
        None | Some(100) => table::cell(&member["system"]),
        Some(share) => format!("{} {share}%", table::cell(&member["system"])),
    };
    let members: Vec<String> = members.iter().map(member).collect();
    let way = format!("{} of {}", table::cell(&system["status"]["group"]), members.join(", "));
    let none = std::iter::repeat_n("-".to_owned(), 5);
    [table::cell(&system["name"]), way].into_iter().chain(none).collect()
}

/// How many calls may start now; only its store knows it of a limit that is shared.
fn limit(lane: &Value) -> String {
    match (&lane["limit_store"], &lane["tokens"]) {
        (Value::String(store), _) => format!("shared in {store}"),
        (_, Value::Null) => "-".to_owned(),
        (_, tokens) => format!("{tokens} left"),
    }
}
