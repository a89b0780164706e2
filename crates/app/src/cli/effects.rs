//! `cardan effects`

use std::io;

use clap::Args;
use serde_json::Value;

use super::page::{Listing, more};
use super::{Done, table};

#[derive(Debug, Args)]
#[group(id = "whose", required = true, multiple = true)]
struct Whose {
    /// Only of this run
    #[arg(long)]
    run: Option<String>,
    /// Only of runs that are about this entity
    #[arg(long)]
    entity: Option<String>,
    /// Only in this system, or at this member of a group
    #[arg(long)]
    system: Option<String>,
    /// Only of runs of this conversation
    #[arg(long)]
    conversation: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct Effects {
    #[command(flatten)]
    whose: Whose,
    #[command(flatten)]
    listing: Listing,
}

impl Effects {
    pub(super) async fn run(self) -> Done {
        let Whose { run, entity, system, conversation } = self.whose;
        let given = [("run", run), ("entity", entity), ("system", system), ("conversation", conversation)];
        self.listing.run("/v1/effects", given, print).await
    }
}

fn print(page: &Value) -> io::Result<()> {
    let headings = ["run and step", "operation", "sent", "outcome", "known by", "undo", "key"];
    let rows: Vec<Vec<String>> = page["effects"].as_array().into_iter().flatten().map(row).collect();
    let nothing = if page["next"].is_null() { "no effects" } else { "no effects in the runs looked at" };
    table::print(&headings, &rows, nothing)?;
    more(page)
}

fn row(effect: &Value) -> Vec<String> {
    let cell = |member: &str| table::cell(&effect[member]);
    let at = effect["member"].as_str().map(|member| format!(" at {member}")).unwrap_or_default();
    vec![
        format!("{}/{}", cell("run"), cell("step")),
        format!("{}.{}{at}", cell("system"), cell("operation")),
        effect["sent"].as_str().map_or_else(|| "-".to_owned(), second),
        cell("outcome").replace('_', " "),
        known(effect),
        undo(&effect["undo"]),
        cell("key"),
    ]
}

/// A time without fractions of its second.
fn second(at: &str) -> String {
    at.split_once('.').map_or_else(|| at.to_owned(), |(seconds, _)| format!("{seconds}Z"))
}

fn known(effect: &Value) -> String {
    let looks = effect["looks"].as_array().map_or(0, Vec::len);
    match effect["known_by"].as_str() {
        Some("person") => who(&effect["settled"]),
        Some("look_up") => format!("look-up {looks}"),
        Some(_) => "its answer".to_owned(),
        None if looks > 0 => format!("- ({looks} look-ups)"),
        None => "-".to_owned(),
    }
}

fn undo(undo: &Value) -> String {
    match (undo["state"].as_str(), undo["settled"].is_object()) {
        (Some(state), true) => format!("{}, {}", state.replace('_', " "), who(&undo["settled"])),
        (Some(state), false) => state.replace('_', " "),
        (None, _) => "-".to_owned(),
    }
}

fn who(settled: &Value) -> String {
    match settled["reason"].as_str() {
        Some(reason) => format!("{}: {reason}", table::cell(&settled["by"])),
        None => table::cell(&settled["by"]),
    }
}
