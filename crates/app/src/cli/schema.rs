//! `cardan schema`

use std::io::{Write, stdout};
use std::process::ExitCode;

use clap::Args;

use super::Done;
use crate::config;

#[derive(Debug, Args)]
pub(super) struct Schema {}

impl Schema {
    pub(super) fn run(self) -> Done {
        stdout().lock().write_all(config::json_schema().as_bytes())?;
        Ok(ExitCode::SUCCESS)
    }
}
