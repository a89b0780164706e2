//! `cardan flow list|show|cancel|pause|resume|restart`

use std::io::{Write, stdout};
use std::process::ExitCode;

use clap::Subcommand;
use serde_json::{Value, json};

use super::{Done, Remote, table};
use crate::play::timeline;

#[derive(Debug, Subcommand)]
pub(super) enum Flow {
    /// List runs, the latest first
    List {
        /// Only runs in this status (running, waiting, paused, parked, failed, …)
        #[arg(long)]
        status: Option<String>,
        #[command(flatten)]
        remote: Remote,
    },
    /// Show one run: every step, its attempts, what it waits for
    Show {
        /// The run
        run: String,
        /// Print the answer as JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        remote: Remote,
    },
    /// Stop a run and undo what it did, in reverse order
    Cancel(Target),
    /// Start no further step until resumed
    Pause(Target),
    /// Go on with a paused run
    Resume(Target),
    /// Run again from a step; the steps before it keep their results
    Restart {
        /// The step to start from
        #[arg(long)]
        from: String,
        #[command(flatten)]
        target: Target,
    },
}

#[derive(Debug, clap::Args)]
pub(super) struct Target {
    /// The run
    run: String,
    #[command(flatten)]
    remote: Remote,
}

impl Flow {
    pub(super) async fn run(self) -> Done {
        match self {
            Flow::List { status, remote } => list(&remote, status).await?,
            Flow::Show { run, json, remote } => {
                let view = remote.get(&format!("/v1/runs/{run}")).await?;
                let shown = if json { table::json(&view) } else { timeline::print_run(&view) };
                shown?;
            }
            Flow::Cancel(target) => target.ask("cancel", Value::Null).await?,
            Flow::Pause(target) => target.ask("pause", Value::Null).await?,
            Flow::Resume(target) => target.ask("resume", Value::Null).await?,
            Flow::Restart { from, target } => target.ask("restart", json!({ "from": from })).await?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

async fn list(remote: &Remote, status: Option<String>) -> Result<(), super::Failure> {
    let query = status.map(|status| format!("?status={status}")).unwrap_or_default();
    let page = remote.get(&format!("/v1/runs{query}")).await?;
    let members = ["id", "flow", "status", "conversation", "key", "blocked_on"];
    let rows = table::rows(&page["runs"], &members);
    table::print(&["run", "flow", "status", "conversation", "key", "blocked on"], &rows, "no runs")?;
    Ok(())
}

impl Target {
    async fn ask(&self, verb: &str, body: Value) -> Result<(), super::Failure> {
        let body = if body.is_null() { json!({}) } else { body };
        let view = self.remote.post(&format!("/v1/runs/{}/{verb}", self.run), &body).await?;
        writeln!(stdout(), "{}: {}", self.run, table::cell(&view["status"]))?;
        Ok(())
    }
}
