//! `cardan explain SYSTEM.OPERATION [--config PATH]`

use std::io::{Write, stdout};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use diag::nearest;
use guard::batch::Collect;
use guard::{Explanation, Fallback, Subject};
use port::{Operation, Spec, normalised};

use super::{Done, Failure};
use crate::config::{self, Config, Group, System};

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
    let normal = normalised(name);
    if let Some(group) = config.groups.get(&normal) {
        return of_group(config, group, known(&group.name, &group.spec, operation)?);
    }
    let system = config
        .systems
        .get(&normal)
        .ok_or_else(|| unknown("there is no system", name, config.specs().map(|spec| &*spec.system)))?;
    Ok(of_system(config, system, known(&system.name, &system.spec, operation)?))
}

fn known<'s>(name: &str, spec: &'s Spec, operation: &str) -> Result<&'s Operation, String> {
    spec.operation(operation).ok_or_else(|| {
        let operations = spec.operations.iter().map(|known| &*known.name);
        unknown(&format!("{name} has no operation"), operation, operations)
    })
}

fn of_system(config: &Config, system: &System, operation: &Operation) -> String {
    let sent = sent_as(system, operation);
    let batch = system.batches.get(&operation.name);
    let batch = batch.map(|collect| collected(system, &operation.name, collect) + "\n").unwrap_or_default();
    batch + &told(system, sent).to_string() + &shared(config, system, &sent.name)
}

/// The operation whose guard a call passes: another one when calls are collected.
fn sent_as<'s>(system: &'s System, operation: &'s Operation) -> &'s Operation {
    let collect = system.batches.get(&operation.name);
    collect.and_then(|collect| system.spec.operation(&collect.into)).unwrap_or(operation)
}

/// How calls are collected; what a batch costs follows by itself.
fn collected(system: &System, operation: &str, collect: &Collect) -> String {
    let Collect { into, items, results, keys, numbers } = collect;
    let (size, timeout) = (numbers.size, diag::units::show_duration(numbers.timeout));
    let at_once = match numbers.in_flight.get() {
        1 => "one batch".to_owned(),
        more => format!("up to {more} batches"),
    };
    let numbers = [
        ("into", &**into),
        ("items", items.as_str()),
        ("results", results.as_deref().unwrap_or("the output itself")),
        ("keys", keys.as_deref().unwrap_or("none")),
        ("size", &size.to_string()),
        ("timeout", &timeout),
        ("in_flight", &numbers.in_flight.to_string()),
    ];
    let mut text = format!("{}.{operation}\n", system.name);
    let width = numbers.iter().map(|(_, value)| value.len()).max().unwrap_or_default();
    for (name, value) in numbers {
        let name = format!("batch.{name}");
        text += &format!("  {name:15}  {value:width$}  operation {}.{operation}\n", system.name);
    }
    let most = u64::from(size.get()) * 2 - 1;
    text += &format!(
        "\ncollected per tenant, {at_once} at a time; sent when {size} are there or the first has waited {timeout}\n"
    );
    text += &format!(
        "one that is refused is halved until the item at fault fails alone, in at most {most} calls\n"
    );
    text + "nobody waits longer than its own deadline\n"
}

/// The group's order, then what the call costs at each member.
fn of_group(config: &Config, group: &Group, operation: &Operation) -> Result<String, String> {
    let (mut costs, mut text) = (Vec::new(), String::new());
    for member in group.members.iter().filter_map(|member| config.systems.get(member)) {
        let theirs = known(&member.name, &member.spec, &operation.name)?;
        costs.push(told(member, sent_as(member, theirs)));
        text += &format!("\n{}", of_system(config, member, theirs));
    }
    let call = format!("{}.{}", group.name, operation.name);
    Ok(guard::explain_group(&call, &group.pick, operation, costs).to_string() + &text)
}

fn told(system: &System, operation: &Operation) -> Explanation {
    let layers = system.layers(&operation.name);
    let layers: Vec<_> = layers.iter().map(|(origin, policy)| (origin.as_str(), *policy)).collect();
    let call = format!("{}.{}", system.name, operation.name);
    guard::explain(&Subject { call: &call, repeat: operation.repeat, layers: &layers })
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
