//! `cardan check [PATH] [--json]`

use std::io::{IsTerminal, Write, stdout};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use diag::{Colour, Severity, Source};
use serde_json::json;

use super::Done;
use crate::config::{self, Report};

#[derive(Debug, Args)]
pub(super) struct Check {
    /// A configuration file, or a directory of them
    #[arg(default_value = "cardan.yaml")]
    path: PathBuf,
    /// Print what was found as JSON, for tools
    #[arg(long)]
    json: bool,
}

impl Check {
    pub(super) fn run(self) -> Done {
        let (report, sources) = match config::sources(&self.path) {
            Ok((sources, mut skipped)) => {
                let mut report = config::check(&sources);
                report.found.append(&mut skipped);
                (report, sources)
            }
            Err(found) => (Report { config: None, found }, Vec::new()),
        };
        let text = if self.json { as_json(&report) } else { self.as_text(&report, &sources) };
        stdout().lock().write_all(text.as_bytes())?;
        Ok(if report.config.is_some() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    fn as_text(&self, report: &Report, sources: &[Source]) -> String {
        let styled = stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        let colour = if styled { Colour::Styled } else { Colour::Plain };
        let shown = diag::render(&report.found, sources, colour);
        format!("{shown}{}: {}\n", self.path.display(), summary(report))
    }
}

fn summary(report: &Report) -> String {
    let count = |severity| report.found.iter().filter(|found| found.severity == severity).count();
    let found = [counted(count(Severity::Error), "error"), counted(count(Severity::Warning), "warning")];
    match &report.config {
        Some(config) => {
            let systems = counted(config.specs().count(), "system");
            format!("valid: {systems}, {} and {}", counted(config.flows.len(), "flow"), found[1])
        }
        None => found.join(", "),
    }
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn as_json(report: &Report) -> String {
    let found = diag::to_json(&report.found);
    format!("{:#}\n", json!({ "valid": report.config.is_some(), "diagnostics": found }))
}
