//! `cardan simulate`

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::{Done, Failure};
use crate::terminal::stdout;

#[derive(Debug, Args)]
pub(super) struct Simulate {
    /// Where to listen; a loopback address
    #[arg(long, default_value = "127.0.0.1:7101")]
    listen: SocketAddr,
    /// Decides the ids that are given out
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Record idempotency keys and otherwise ignore them: the same key acts again
    #[arg(long)]
    ignore_keys: bool,
    /// How many of each product there are
    #[arg(long, default_value_t = 100)]
    stock: u32,
    /// A folder for each system's own record, one JSON line per call
    #[arg(long)]
    records: Option<PathBuf>,
}

impl Simulate {
    pub(super) async fn run(self) -> Done {
        if !self.listen.ip().is_loopback() {
            return Err(Failure::new(format!(
                "{} is no loopback address: simulated systems ask nobody who they are",
                self.listen
            )));
        }
        let options = sim::Options {
            addr: self.listen,
            seed: self.seed,
            honour_keys: !self.ignore_keys,
            stock: self.stock,
            records: self.records,
        };
        let house = sim::serve(options)
            .await
            .map_err(|error| Failure::new(format!("listening on {}: {error}", self.listen)))?;
        writeln!(stdout(), "simulated systems: http://{}", house.addr())?;
        tokio::signal::ctrl_c().await?;
        house.stop().await;
        Ok(ExitCode::SUCCESS)
    }
}
