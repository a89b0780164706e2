//! `cardan inbox`

use std::io::{self, Write};

use clap::Args;
use serde_json::Value;

use super::page::{Listing, more};
use super::{Done, table};
use crate::play::waits;
use crate::terminal::stdout;

#[derive(Debug, Args)]
pub(super) struct Inbox {
    #[command(flatten)]
    listing: Listing,
}

impl Inbox {
    pub(super) async fn run(self) -> Done {
        self.listing.run("/v1/inbox", [], print).await
    }
}

fn print(page: &Value) -> io::Result<()> {
    let inbox = page["inbox"].as_array().map(Vec::as_slice).unwrap_or_default();
    if inbox.is_empty() && page["next"].is_null() {
        writeln!(stdout(), "nothing waits for a person")?;
    }
    inbox.iter().try_for_each(entry)?;
    if page["complete"] == false {
        writeln!(stdout(), "not everything was looked at: there is more live than one look takes in")?;
    }
    more(page)
}

fn entry(entry: &Value) -> io::Result<()> {
    let age = waits::age(&entry["since"], waits::now());
    let what = table::cell(&entry["what"]).replace('_', " ");
    let named: Vec<&str> = ["run", "step"].iter().filter_map(|member| entry[*member].as_str()).collect();
    let call = match (entry["system"].as_str(), entry["operation"].as_str()) {
        (Some(system), Some(operation)) => format!("{system}.{operation}"),
        _ => String::new(),
    };
    let head = format!("{age:<8} {what:<12} {}  {call}", named.join("/"));
    writeln!(stdout(), "{}", head.trim_end())?;
    writeln!(stdout(), "  why      {}", table::cell(&entry["why"]))?;
    for (at, command) in entry["commands"].as_array().into_iter().flatten().enumerate() {
        let label = if at == 0 { "settle" } else { "or" };
        writeln!(stdout(), "  {label:<8} {}", table::cell(command))?;
    }
    Ok(())
}
