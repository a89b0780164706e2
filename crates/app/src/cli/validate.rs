//! `cardan validate [--compat] [FILE|-]`

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::{Done, Failure};

#[derive(Debug, Args)]
pub(super) struct Validate {
    /// JSON lines {"kind": "act|conversation|constraint|entity|participant", "value": …}; - is standard input
    #[arg(default_value = "-")]
    file: PathBuf,
    /// Accept what older libraries emit: nulls for absent members, nested acts, unknown members
    #[arg(long)]
    compat: bool,
}

impl Validate {
    pub(super) fn run(self) -> Done {
        let rules = if self.compat { act::Rules::compat() } else { act::Rules::strict() };
        let mut verdicts = BufWriter::new(io::stdout().lock());
        let valid = act::validate_lines(open(&self.file)?, &mut verdicts, &rules)?;
        verdicts.flush()?;
        Ok(if valid { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn open(path: &Path) -> Result<Box<dyn BufRead>, Failure> {
    if path == Path::new("-") {
        return Ok(Box::new(io::stdin().lock()));
    }
    let file =
        File::open(path).map_err(|error| Failure::new(format!("opening {}: {error}", path.display())))?;
    Ok(Box::new(BufReader::new(file)))
}
