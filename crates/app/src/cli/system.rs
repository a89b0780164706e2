//! `cardan system list|show|reset|force-open|disable|observe|automatic`

use std::io::Write;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};

use super::{Done, Failure, Remote, table};
use crate::terminal::stdout;

#[derive(Debug, Subcommand)]
pub(super) enum System {
    /// List the connected systems with the state of their breakers
    List {
        #[command(flatten)]
        remote: Remote,
    },
    /// Show one: operations, guard, breaker, calls in flight
    Show(Target),
    /// Close the system's breakers, or those named, and forget their failures. What was forced open stays so
    Reset(Breakers),
    /// Reject every call; what flows want of the system waits. Until changed, also after a restart
    ForceOpen(Order),
    /// Let every call pass and judge none. Until changed, also after a restart
    Disable(Order),
    /// Judge and report, but let every call pass. Until changed, also after a restart
    Observe(Order),
    /// Judge and act again
    Automatic(Order),
}

/// All breakers of a system, or some.
#[derive(Debug, Args)]
pub(super) struct Breakers {
    #[command(flatten)]
    target: Target,
    /// Only those of this operation: one with its own breaker, or any when there is one per operation
    #[arg(long)]
    operation: Option<String>,
    /// Only those of this tenant or model, as `cardan system list` names it
    #[arg(long)]
    key: Option<String>,
}

/// What breakers are told.
#[derive(Debug, Args)]
pub(super) struct Order {
    #[command(flatten)]
    breakers: Breakers,
    /// Ends by itself after this long: 30m, 2h
    #[arg(long, value_name = "SPAN", conflicts_with = "until")]
    r#for: Option<SignedDuration>,
    /// Ends by itself at this time: 2026-01-31T18:00:00Z
    #[arg(long, value_name = "TIME")]
    until: Option<Timestamp>,
    /// Why; shown with `cardan system show`
    #[arg(long, default_value = "", hide_default_value = true)]
    reason: String,
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
                let headings = [
                    "system",
                    "adapter",
                    "operation",
                    "key",
                    "breaker",
                    "mode",
                    "in flight",
                    "queued",
                    "limit",
                ];
                table::print(&headings, &lanes(&page["systems"]), "no systems are configured")?;
            }
            System::Show(target) => table::json(&target.remote.get(&target.path("")).await?)?,
            System::Reset(breakers) => breakers.reset().await?,
            System::ForceOpen(order) => order.switch("forced_open").await?,
            System::Disable(order) => order.switch("disabled").await?,
            System::Observe(order) => order.switch("observe_only").await?,
            System::Automatic(order) => order.switch("automatic").await?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Target {
    fn path(&self, tail: &str) -> String {
        format!("/v1/systems/{}{tail}", self.name)
    }
}

impl Breakers {
    async fn reset(&self) -> Result<(), Failure> {
        let names = json!({ "operation": self.operation, "key": self.key });
        self.target.remote.post(&self.target.path("/reset"), &names).await?;
        writeln!(stdout(), "{}: reset", self.named())?;
        Ok(())
    }

    /// As it was asked for.
    fn named(&self) -> String {
        let mut named = self.target.name.clone();
        for (word, name) in [("operation", &self.operation), ("key", &self.key)] {
            if let Some(name) = name {
                named.push_str(&format!(" {word} {name:?}"));
            }
        }
        named
    }
}

impl Order {
    async fn switch(&self, mode: &str) -> Result<(), Failure> {
        let Breakers { target, operation, key } = &self.breakers;
        let body = json!({
            "mode": mode, "operation": operation, "key": key, "reason": self.reason, "until": self.until,
            "for_ms": self.r#for.map(|span| span.as_millis()),
        });
        let Target { remote, .. } = target;
        let told = remote.send(remote.request(Method::PUT, &target.path("/guard")).json(&body)).await?;
        let was = told["was"].as_str().unwrap_or("mixed");
        let until = match told["until"].as_str() {
            Some(time) => format!("; until {time}"),
            None if mode == "automatic" => String::new(),
            None => "; until changed".to_owned(),
        };
        writeln!(stdout(), "{}: {mode}, was {was}{until}", self.breakers.named())?;
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
            let state = effective(&lane["mode"], &lane["state"]);
            let cells = [
                &system["name"],
                &system["adapter"],
                &lane["operation"],
                &lane["key"],
                &state,
                &lane["mode"],
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
    let none = std::iter::repeat_n("-".to_owned(), 7);
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
