//! `cardan act CONVERSATION [FILE]`

use std::io::Read;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use reqwest::Method;

use super::{Done, Failure, Remote, table};

#[derive(Debug, Args)]
pub(super) struct Send {
    /// The conversation, such as conv_42
    conversation: String,
    /// A file with one act as JSON; standard input without one
    file: Option<PathBuf>,
    /// Wait this many seconds for the work the act starts
    #[arg(long, default_value_t = 0)]
    wait: u32,
    #[command(flatten)]
    remote: Remote,
}

impl Send {
    pub(super) async fn run(self) -> Done {
        let text = match &self.file {
            Some(path) => std::fs::read_to_string(path)
                .map_err(|error| Failure::new(format!("reading {}: {error}", path.display())))?,
            None => standard_input()?,
        };
        let path = format!("/v1/conversations/{}/acts", self.conversation);
        let request =
            self.remote.request(Method::POST, &path).header("content-type", "application/json").body(text);
        let request =
            if self.wait > 0 { request.header("prefer", format!("wait={}", self.wait)) } else { request };
        table::json(&self.remote.send(request).await?)?;
        Ok(ExitCode::SUCCESS)
    }
}

fn standard_input() -> std::io::Result<String> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    Ok(text)
}
