//! `cardan system list|show|reset`

use std::io::{Write, stdout};
use std::process::ExitCode;

use clap::Subcommand;
use serde_json::{Value, json};

use super::{Done, Remote, table};

#[derive(Debug, Subcommand)]
pub(super) enum System {
    /// List the connected systems with the state of their breakers
    List {
        #[command(flatten)]
        remote: Remote,
    },
    /// Show one: operations, guard, breaker, calls in flight
    Show {
        /// The system's name
        name: String,
        #[command(flatten)]
        remote: Remote,
    },
    /// Close the system's breaker
    Reset {
        /// The system's name
        name: String,
        #[command(flatten)]
        remote: Remote,
    },
}

impl System {
    pub(super) async fn run(self) -> Done {
        match self {
            System::List { remote } => {
                let page = remote.get("/v1/systems").await?;
                let headings = ["system", "adapter", "breaker", "in flight", "queued"];
                table::print(&headings, &lanes(&page["systems"]), "no systems are configured")?;
            }
            System::Show { name, remote } => table::json(&remote.get(&format!("/v1/systems/{name}")).await?)?,
            System::Reset { name, remote } => {
                remote.post(&format!("/v1/systems/{name}/reset"), &json!({})).await?;
                writeln!(stdout(), "{name}: reset")?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// A row for each breaker of each system.
fn lanes(systems: &Value) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for system in systems.as_array().into_iter().flatten() {
        for lane in system["status"]["lanes"].as_array().into_iter().flatten() {
            let cells =
                [&system["name"], &system["adapter"], &lane["state"], &lane["in_flight"], &lane["queued"]];
            rows.push(cells.into_iter().map(table::cell).collect());
        }
    }
    rows
}
