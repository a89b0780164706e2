//! `cardan play STORY`

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use super::{Done, Failure, Remote};
use crate::play::{Story, perform};
use crate::terminal::stdout;

#[derive(Debug, Args)]
pub(super) struct Play {
    /// The story: who takes part and what they say
    story: PathBuf,
    /// Plays it in this conversation instead of the story's own
    #[arg(long, value_name = "CONV_ID")]
    conversation: Option<String>,
    /// Where the simulated systems are, to show what they hold
    #[arg(long)]
    systems: Option<String>,
    /// The pause after each act, in milliseconds
    #[arg(long, default_value_t = 100)]
    pace: u64,
    #[command(flatten)]
    remote: Remote,
}

impl Play {
    pub(super) async fn run(self) -> Done {
        let mut story = Story::read(&self.story).map_err(Failure::new)?;
        story.conversation = self.conversation.unwrap_or(story.conversation);
        let pace = Duration::from_millis(self.pace);
        let ends = perform(&story, &self.remote, self.systems.as_deref(), pace).await?;
        match ends.iter().find(|end| **end != story.ends) {
            None => Ok(ExitCode::SUCCESS),
            Some(end) => {
                writeln!(stdout(), "\n  its run is {end}; the story expects it to be {}", story.ends)?;
                Ok(ExitCode::from(1))
            }
        }
    }
}
