//! `cardan flow list|show|cancel|signal|pause|resume|restart|undo|release-key`

use std::io::Write;
use std::process::ExitCode;

use clap::Subcommand;
use reqwest::Method;
use serde_json::{Value, json};

use super::page::{Page, more};
use super::{Done, Failure, Remote, table};
use crate::play::{timeline, waits};
use crate::terminal::stdout;

#[derive(Debug, Subcommand)]
pub(super) enum Flow {
    /// List runs, the latest first
    List(List),
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
    /// Send a signal that a `listen` of the run waits for, or will
    Signal(super::signal::ToRun),
    /// Start no further step until resumed
    Pause(Target),
    /// Go on with a paused run, or let one that waits for a system ask now
    Resume {
        /// Send again what may have landed and must not be repeated
        #[arg(long)]
        send_again: bool,
        /// Only what this step asked for is sent again
        #[arg(long, requires = "send_again")]
        step: Option<String>,
        #[command(flatten)]
        target: Target,
    },
    /// Say what became of a step whose outcome nobody knows: the run goes on as if it had been answered so
    Settle {
        #[command(flatten)]
        target: Target,
        /// The step, as `flow show` names it; `STEP/undo` for its undoing
        step: String,
        /// It landed; with what it answered, as JSON
        #[arg(long, num_args = 0..=1, default_missing_value = "null", conflicts_with = "did_not_land")]
        landed: Option<String>,
        /// It did not land
        #[arg(long, required_unless_present = "landed")]
        did_not_land: bool,
    },
    /// Run a paused or ended run again from a step; the steps before it keep their results
    Restart {
        /// The step to start from
        #[arg(long)]
        from: String,
        /// Send again what may have landed and must not be repeated
        #[arg(long)]
        send_again: bool,
        #[command(flatten)]
        target: Target,
    },
    /// Undo a run that has ended: everything it did, in reverse order
    Undo {
        /// Also below a later run with its key that stands
        #[arg(long)]
        force: bool,
        #[command(flatten)]
        target: Target,
    },
    /// Let others with its key pass a run whose undoing is not over
    ReleaseKey(Target),
}

#[derive(Debug, clap::Args)]
pub(super) struct List {
    /// Only what does not go on as it should, the oldest first: paused, parked, queued, kept in by a guard, late
    #[arg(long)]
    stuck: bool,
    /// Only what waits for this system, or for a group that it is in, the oldest first
    #[arg(long)]
    system: Option<String>,
    /// Only runs in this status, or these (running, waiting, paused, parked, failed, …)
    #[arg(long)]
    status: Option<String>,
    /// Only runs of this flow
    #[arg(long)]
    flow: Option<String>,
    /// Only runs of this conversation
    #[arg(long)]
    conversation: Option<String>,
    /// Only runs with this key
    #[arg(long)]
    key: Option<String>,
    #[command(flatten)]
    page: Page,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, clap::Args)]
pub(super) struct Target {
    /// The run
    run: String,
    /// Why, for the journal
    #[arg(long, default_value = "")]
    reason: String,
    #[command(flatten)]
    remote: Remote,
}

impl Flow {
    pub(super) async fn run(self) -> Done {
        match self {
            Flow::List(list) => list.print().await?,
            Flow::Show { run, json, remote } => {
                let view = remote.get(&format!("/v1/runs/{run}")).await?;
                let shown = if json { table::json(&view) } else { timeline::print_run(&view) };
                shown?;
            }
            Flow::Signal(signal) => signal.run().await?,
            Flow::Cancel(target) => target.ask("cancel", json!({})).await?,
            Flow::Pause(target) => target.ask("pause", json!({})).await?,
            Flow::Resume { send_again, step, target } => {
                let mut body = json!({ "send_again": send_again });
                if let Some(step) = step {
                    body["step"] = step.into();
                }
                target.ask("resume", body).await?;
            }
            Flow::Settle { step, landed, target, .. } => {
                target.ask("settle", settlement(&step, landed.as_deref())?).await?;
            }
            Flow::Restart { from, send_again, target } => {
                target.ask("restart", json!({ "step": from, "send_again": send_again })).await?;
            }
            Flow::Undo { force, target } => target.ask("undo", json!({ "force": force })).await?,
            Flow::ReleaseKey(target) => target.ask("release-key", json!({})).await?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl List {
    async fn print(self) -> Result<(), Failure> {
        let given = [
            ("stuck", self.stuck.then(|| "true".to_owned())),
            ("system", self.system.clone()),
            ("status", self.status),
            ("flow", self.flow),
            ("conversation", self.conversation),
            ("key", self.key),
        ];
        let request = self.remote.request(Method::GET, "/v1/runs").query(&self.page.query(given));
        let page = self.remote.send(request).await?;
        let headings = ["run", "flow", "status", "conversation", "key", "blocked on"];
        let rows: Vec<Vec<String>> = page["runs"].as_array().into_iter().flatten().map(row).collect();
        let nothing = match (self.stuck, &self.system) {
            (true, _) => "nothing is stuck",
            (false, Some(_)) => "nothing waits for it",
            (false, None) => "no runs",
        };
        table::print(&headings, &rows, nothing)?;
        more(&page)?;
        Ok(())
    }
}

fn settlement(step: &str, landed: Option<&str>) -> Result<Value, Failure> {
    let output = landed.map(serde_json::from_str::<Value>).transpose();
    let output = output.map_err(|error| Failure::new(format!("--landed: expected JSON: {error}")))?;
    Ok(json!({ "step": step, "landed": landed.is_some(), "output": output }))
}

fn row(run: &Value) -> Vec<String> {
    let members = ["id", "flow", "status", "conversation", "key"];
    let mut cells: Vec<String> = members.iter().map(|member| table::cell(&run[*member])).collect();
    cells.push(waits::words(&run["blocked_on"], waits::now()).unwrap_or_else(|| "-".to_owned()));
    cells
}

impl Target {
    async fn ask(&self, verb: &str, mut body: Value) -> Result<(), Failure> {
        body["reason"] = self.reason.as_str().into();
        let view = self.remote.post(&format!("/v1/runs/{}/{verb}", self.run), &body).await?;
        writeln!(stdout(), "{}: {}", self.run, table::cell(&view["status"]))?;
        Ok(())
    }
}
