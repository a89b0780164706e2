//! `cardan explain SYSTEM.OPERATION [--config PATH]`

use std::io::{Write, stdout};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use diag::nearest;
use guard::{Fallback, Subject};

use super::{Done, Failure};
use crate::config::{self, Config, System};

#[derive(Debug, Args)]
pub(super) struct Explain {
    /// The call, such as inventory.reserve
    #[arg(value_name = "SYSTEM.OPERATION")]
    call: String,
    /// cardan.yaml, or a folder of such files
    #[arg(long, default_value = "cardan.yaml")]
    config: PathBuf,
}

impl Explain {
    pub(super) fn run(self) -> Done {
        let (config, _warnings) =
            config::load(&self.config).map_err(|rejected| Failure::new(rejected.to_string()))?;
        let text = explained(&config, &self.call)
            .map_err(|why| Failure::new(format!("explaining {}: {why}", self.call)))?;
        stdout().lock().write_all(text.as_bytes())?;
        Ok(ExitCode::SUCCESS)
    }
}

/// What the call costs at worst, as text; or why there is no such call.
fn explained(config: &Config, call: &str) -> Result<String, String> {
    let (name, operation) = call.split_once('.').ok_or("write it as SYSTEM.OPERATION")?;
    let system = config.systems.get(&name.replace('-', "_"));
    let system = system.ok_or_else(|| {
        unknown("there is no system", name, config.systems.values().map(|system| system.name.as_str()))
    })?;
    let known = system.spec.operation(operation).ok_or_else(|| {
        let operations = system.spec.operations.iter().map(|known| &*known.name);
        unknown(&format!("{} has no operation", system.name), operation, operations)
    })?;
    let shared = shared(config, system, operation);
    Ok(told(system, &known.name, known.repeat) + &shared)
}

fn told(system: &System, operation: &str, repeat: port::Repeat) -> String {
    let layers = system.layers(operation);
    let layers: Vec<_> = layers.iter().map(|(origin, policy)| (origin.as_str(), *policy)).collect();
    let call = format!("{}.{operation}", system.name);
    guard::explain(&Subject { call: &call, repeat, layers: &layers }).to_string()
}

/// What the numbers of a shared limit leave out: where it is counted, what asking costs, and what if nobody answers.
fn shared(config: &Config, system: &System, operation: &str) -> String {
    let limit = system.policies.of(operation).limit.as_ref();
    let Some(shared) = limit.and_then(|limit| limit.shared.as_ref()) else { return String::new() };
    let Some(store) = config.limit_stores.get(&*shared.store) else { return String::new() };
    let (server, patience) = (store.server.key(), diag::units::show_duration(store.patience));
    let away = match shared.fallback {
        Fallback::Open => "every call passes".to_owned(),
        Fallback::Closed => "no call passes".to_owned(),
        Fallback::LocalShare { of } => format!("each node keeps to one part in {of}"),
    };
    format!(
        "\nthe limit is counted by all nodes in {} ({server}); asking it adds at most {patience} to each attempt\n\
         while it is away {away}\n",
        shared.store
    )
}

fn unknown<'n>(what: &str, name: &str, known: impl Iterator<Item = &'n str>) -> String {
    let known: Vec<&str> = known.collect();
    let hint = match nearest(name, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => return format!("{what} `{name}`"),
        None => format!("there is {}", diag::quoted(&known).replace(" or ", " and ")),
    };
    format!("{what} `{name}`\n  {hint}")
}
