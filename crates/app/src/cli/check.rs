//! `cardan check [PATH] [--against STORE] [--json]`

use std::io::{IsTerminal, Write, stdout};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use diag::{Colour, Severity, Source};
use flow::Need;
use serde_json::json;

use super::{Done, against};
use crate::config::{self, Report};

#[derive(Debug, Args)]
pub(super) struct Check {
    /// A configuration file, or a directory of them
    #[arg(default_value = "cardan.yaml")]
    path: PathBuf,
    /// A store: also find which of its live runs need what the configuration lacks. It is only read, also under a server
    #[arg(long, value_name = "STORE")]
    against: Option<PathBuf>,
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
        let needs = match (&self.against, &report.config) {
            (Some(store), Some(config)) => Some(against::needs(store, config)?),
            _ => None,
        };
        let needs = needs.as_deref();
        let text = if self.json { as_json(&report, needs) } else { self.as_text(&report, &sources, needs) };
        stdout().lock().write_all(text.as_bytes())?;
        let well = report.config.is_some() && needs.is_none_or(<[Need]>::is_empty);
        Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    fn as_text(&self, report: &Report, sources: &[Source], needs: Option<&[Need]>) -> String {
        let styled = stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        let colour = if styled { Colour::Styled } else { Colour::Plain };
        let shown = diag::render(&report.found, sources, colour);
        let needed: String = needs.into_iter().flatten().map(against::line).collect();
        let count = needs.map(|needs| {
            let steps = counted(needs.len(), "step");
            let verb = if needs.len() == 1 { "needs" } else { "need" };
            format!("; {steps} of live runs {verb} what is not configured")
        });
        format!("{shown}{needed}{}: {}{}\n", self.path.display(), summary(report), count.unwrap_or_default())
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

fn as_json(report: &Report, needs: Option<&[Need]>) -> String {
    let found = diag::to_json(&report.found);
    let mut document = json!({ "valid": report.config.is_some(), "diagnostics": found });
    if let Some(needs) = needs {
        document["needs"] = json!(needs);
    }
    format!("{document:#}\n")
}
