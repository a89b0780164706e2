//! `cardan outbox list`

use std::io::Write;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::Value;

use super::{Done, Remote, table};
use crate::play::waits;
use crate::terminal::stdout;

#[derive(Debug, Subcommand)]
pub(super) enum Outbox {
    /// List what was told to systems and is not delivered yet, the oldest first
    List(List),
}

#[derive(Debug, Args)]
pub(super) struct List {
    /// Only what goes to this system
    #[arg(long)]
    system: Option<String>,
    /// Go on after a page that said so
    #[arg(long)]
    after: Option<String>,
    /// At most so many, 1 to 100; 50 unless said
    #[arg(long)]
    limit: Option<usize>,
    #[command(flatten)]
    remote: Remote,
}

impl Outbox {
    pub(super) async fn run(self) -> Done {
        let Self::List(list) = self;
        list.print().await
    }
}

impl List {
    async fn print(self) -> Done {
        let limit = self.limit.map(|limit| limit.to_string());
        let given = [("system", self.system), ("after", self.after), ("limit", limit)];
        let query: Vec<_> = given.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        let page = self.remote.send(self.remote.request(Method::GET, "/v1/outbox").query(&query)).await?;
        let headings = ["run and step", "operation", "age", "attempts", "waits for", "key"];
        let rows: Vec<Vec<String>> = page["outbox"].as_array().into_iter().flatten().map(row).collect();
        table::print(&headings, &rows, "nothing waits to be delivered")?;
        if let Some(next) = page["next"].as_str() {
            writeln!(stdout(), "more: --after {next}")?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn row(message: &Value) -> Vec<String> {
    let now = waits::now();
    let cell = |member: &str| table::cell(&message[member]);
    vec![
        cell("id"),
        format!("{}.{}", cell("system"), cell("operation")),
        waits::age(&message["since"], now),
        cell("attempts"),
        waits::words(&message["blocked_on"], now).unwrap_or_else(|| "-".to_owned()),
        cell("key"),
    ]
}
