//! `cardan outbox list`

use std::process::ExitCode;

use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::Value;

use super::page::{Page, more};
use super::{Done, Remote, table};
use crate::play::waits;

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
    #[command(flatten)]
    page: Page,
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
        let query = self.page.query([("system", self.system)]);
        let page = self.remote.send(self.remote.request(Method::GET, "/v1/outbox").query(&query)).await?;
        let headings = ["run and step", "operation", "age", "attempts", "waits for", "key"];
        let rows: Vec<Vec<String>> = page["outbox"].as_array().into_iter().flatten().map(row).collect();
        table::print(&headings, &rows, "nothing waits to be delivered")?;
        more(&page)?;
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
