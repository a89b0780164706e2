//! `cardan dead list|show|edit|replay|discard`

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Value, json};

use super::{Done, Failure, Remote, table};
use crate::terminal::stdout;

#[derive(Debug, Subcommand)]
pub(super) enum Dead {
    /// List open dead letters, the latest first
    List {
        #[command(flatten)]
        remote: Remote,
    },
    /// Show one: cause, attempts, original input, correlation
    Show(Target),
    /// Replace the input that a replay will send
    Edit {
        /// A file with the new input as JSON
        #[arg(long)]
        input: PathBuf,
        #[command(flatten)]
        target: Target,
    },
    /// Try again, under the original idempotency key
    Replay {
        /// Also when nobody knows whether it landed and it must not be repeated
        #[arg(long)]
        send_again: bool,
        /// Why, for whoever reads the journal
        #[arg(long, default_value = "", hide_default_value = true)]
        reason: String,
        #[command(flatten)]
        target: Target,
    },
    /// Decide that the call need not be made; its run stays as it is, to be cancelled or resumed
    Discard(Target),
}

#[derive(Debug, Args)]
pub(super) struct Target {
    /// The dead letter
    id: String,
    #[command(flatten)]
    remote: Remote,
}

impl Dead {
    pub(super) async fn run(self) -> Done {
        match self {
            Dead::List { remote } => list(&remote).await?,
            Dead::Show(target) => table::json(&target.remote.get(&target.path("")).await?)?,
            Dead::Edit { input, target } => target.edit(&input).await?,
            Dead::Replay { send_again, reason, target } => {
                target.ask("replay", &json!({ "send_again": send_again, "reason": reason })).await?;
            }
            Dead::Discard(target) => target.ask("discard", &json!({})).await?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

async fn list(remote: &Remote) -> Result<(), Failure> {
    let page = remote.get("/v1/dead").await?;
    let members = ["id", "system", "operation", "errorType", "timestamp", "source"];
    let rows = table::rows(&page["dead"], &members);
    let headings = ["dead letter", "system", "operation", "cause", "since", "run and step"];
    table::print(&headings, &rows, "nothing is dead")?;
    Ok(())
}

impl Target {
    fn path(&self, tail: &str) -> String {
        format!("/v1/dead/{}{tail}", self.id)
    }

    async fn edit(&self, input: &PathBuf) -> Result<(), Failure> {
        let text = std::fs::read(input)
            .map_err(|error| Failure::new(format!("reading {}: {error}", input.display())))?;
        let input = act::parse_json(&text).map_err(|issue| {
            Failure::new(format!("reading {}: at {:?}: {}", input.display(), issue.pointer, issue.message))
        })?;
        let request = self.remote.request(Method::PATCH, &self.path("")).json(&json!({ "input": input }));
        self.remote.send(request).await?;
        writeln!(stdout(), "{}: edited", self.id)?;
        Ok(())
    }

    async fn ask(&self, verb: &str, said: &Value) -> Result<(), Failure> {
        let letter = self.remote.post(&self.path(&format!("/{verb}")), said).await?;
        writeln!(stdout(), "{}: {}", self.id, table::cell(&letter["state"]))?;
        Ok(())
    }
}
