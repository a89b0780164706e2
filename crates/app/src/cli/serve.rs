//! `cardan serve [CONFIG]`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use super::{Done, Failure};
use crate::config;
use crate::wire::House;

#[derive(Debug, Args)]
pub(super) struct Serve {
    /// cardan.yaml, or a folder of such files
    #[arg(default_value = "cardan.yaml")]
    config: PathBuf,
    /// How much is logged: error, warn, info, debug, or a filter such as info,flow=debug
    #[arg(long, env = "LOG_LEVEL", default_value = "info")]
    log: String,
}

impl Serve {
    pub(super) async fn run(self) -> Done {
        let format = watch::logs::Format::Json;
        watch::logs::init(&self.log, format).map_err(|error| Failure::new(error.to_string()))?;
        let path = if self.config.is_dir() && self.config.join("cardan.yaml").is_file() {
            self.config.join("cardan.yaml")
        } else {
            self.config
        };
        let (config, warnings) =
            config::load(&path).map_err(|rejected| Failure::new(rejected.to_string()))?;
        warnings.iter().for_each(warn);
        let house = House::open(&config).await?;
        tracing::info!(address = %house.address, config = %path.display(), "serving");
        told_to_stop().await?;
        tracing::info!("draining");
        house.close().await;
        Ok(ExitCode::SUCCESS)
    }
}

/// What `cardan check` shows with its place, for those who read only the log.
fn warn(found: &diag::Diagnostic) {
    let diag::Diagnostic { code, message, span, .. } = found;
    let at = format!("{}:{}:{}", span.file, span.line, span.column);
    tracing::warn!(code, at, warning = message, help = found.help.join("; "), "configuration has a warning");
}

/// Waits for SIGTERM or SIGINT.
async fn told_to_stop() -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
