//! `cardan flow signal RUN NAME [JSON]` and `cardan signal NAME --key KEY [JSON]`

use std::io::Write;
use std::process::ExitCode;

use clap::Args;
use reqwest::Method;
use serde_json::Value;

use super::{Done, Failure, Remote, encoded, table};
use crate::terminal::stdout;

/// What is sent, and as whom.
#[derive(Debug, Args)]
struct Sending {
    /// What the `listen` gives, as JSON; null without it
    json: Option<String>,
    /// Makes it one signal however often it is sent
    #[arg(long)]
    id: Option<String>,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
pub(super) struct ToRun {
    /// The run
    run: String,
    /// The name that its `listen` waits for
    name: String,
    #[command(flatten)]
    sending: Sending,
}

#[derive(Debug, Args)]
pub(super) struct ToKey {
    /// The name that a `listen` waits for
    name: String,
    #[command(flatten)]
    sending: Sending,
    /// The key of the runs, as their flow's `key:` gives it
    #[arg(long)]
    key: String,
    /// Only runs of this flow
    #[arg(long)]
    flow: Option<String>,
}

impl ToRun {
    pub(super) async fn run(self) -> Result<(), Failure> {
        self.sending.send(&["runs", &self.run, "signals", &self.name], &[]).await
    }
}

impl ToKey {
    pub(super) async fn run(self) -> Done {
        let flow = self.flow.iter().map(|flow| ("flow", flow.clone()));
        let query: Vec<_> = [("key", self.key.clone())].into_iter().chain(flow).collect();
        self.sending.send(&["signals", &self.name], &query).await?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Sending {
    async fn send(&self, path: &[&str], query: &[(&str, String)]) -> Result<(), Failure> {
        let payload: Value = match &self.json {
            Some(text) => serde_json::from_str(text).map_err(|error| {
                Failure::new(format!("{text:?} is not JSON: {error}; text is written as '\"text\"'"))
            })?,
            None => Value::Null,
        };
        let path: Vec<String> = path.iter().map(|part| encoded(part)).collect();
        let mut request = self.remote.request(Method::POST, &format!("/v1/{}", path.join("/")));
        request = request.query(query).json(&payload);
        if let Some(id) = &self.id {
            request = request.header("Idempotency-Key", id);
        }
        let answer = self.remote.send(request).await?;
        for run in answer["runs"].as_array().into_iter().flatten() {
            let cell = |member: &str| table::cell(&run[member]);
            writeln!(stdout(), "{}: sent to {} ({})", cell("id"), cell("flow"), cell("status"))?;
        }
        Ok(())
    }
}
