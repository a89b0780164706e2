//! Lists that come in pages: where one goes on, how long it is, and what is said at its end.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Args;
use reqwest::Method;
use serde_json::Value;

use super::{Done, Remote, table};
use crate::terminal::stdout;

/// Which page of a list.
#[derive(Debug, Args)]
pub(super) struct Page {
    /// Go on after a page that said so
    #[arg(long)]
    after: Option<String>,
    /// At most so many, 1 to 100; 50 unless said
    #[arg(long)]
    limit: Option<usize>,
}

impl Page {
    /// The query of a list: what was given of its own parameters, and of the page.
    pub(super) fn query(
        self,
        own: impl IntoIterator<Item = (&'static str, Option<String>)>,
    ) -> Vec<(&'static str, String)> {
        let limit = self.limit.map(|limit| limit.to_string());
        let page = [("after", self.after), ("limit", limit)];
        own.into_iter().chain(page).filter_map(|(name, value)| Some((name, value?))).collect()
    }
}

/// A list that is printed for people, or whole as JSON.
#[derive(Debug, Args)]
pub(super) struct Listing {
    /// Print the answer as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    page: Page,
    #[command(flatten)]
    remote: Remote,
}

impl Listing {
    /// Asks for a page, and prints it.
    pub(super) async fn run(
        self,
        path: &str,
        own: impl IntoIterator<Item = (&'static str, Option<String>)>,
        print: fn(&Value) -> io::Result<()>,
    ) -> Done {
        let query = self.page.query(own);
        let page = self.remote.send(self.remote.request(Method::GET, path).query(&query)).await?;
        match self.json {
            true => table::json(&page)?,
            false => print(&page)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Says how to go on, when there is more.
pub(super) fn more(page: &Value) -> io::Result<()> {
    match page["next"].as_str() {
        Some(next) => writeln!(stdout(), "more: --after {next}"),
        None => Ok(()),
    }
}
