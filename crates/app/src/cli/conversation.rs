//! `cardan conversation list|show`

use std::process::ExitCode;

use clap::Subcommand;

use super::{Done, Remote, table};

#[derive(Debug, Subcommand)]
pub(super) enum Conversation {
    /// List conversations, the latest first
    List {
        #[command(flatten)]
        remote: Remote,
    },
    /// Show one conversation: its participants, entities and status
    Show {
        /// The conversation, such as conv_42
        id: String,
        #[command(flatten)]
        remote: Remote,
    },
}

impl Conversation {
    pub(super) async fn run(self) -> Done {
        match self {
            Conversation::List { remote } => {
                let page = remote.get("/v1/conversations").await?;
                let rows = table::rows(&page["conversations"], &["id", "status", "started_at"]);
                table::print(&["conversation", "status", "since"], &rows, "no conversations yet")?;
            }
            Conversation::Show { id, remote } => {
                table::json(&remote.get(&format!("/v1/conversations/{id}")).await?)?
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
