//! Turns `cardan.yaml` into a [`Config`], or says everything that is wrong with it.
//!
//! [`sources`] reads files, [`check`] judges their texts without touching anything, [`load`] does both. Secrets stay
//! names until [`Config::vault`] reads them. It does not know how any section is carried out: each room
//! publishes the shape of its own.

mod auth;
mod batches;
mod code;
mod door;
mod flows;
mod groups;
mod guard;
mod judge;
mod limit_stores;
mod limits;
mod merge;
mod profiles;
mod rules;
mod secrets;
mod shape;
mod sources;
mod store;
mod systems;
mod telemetry;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::Path;

use adapters::Kinds;
use diag::{Colour, Diagnostic, Severity, Source};

pub use auth::{Jwt, JwtKey, Material};
pub use groups::Group;
pub use limit_stores::{LimitStore, Server, Url};
pub use secrets::{Origin, Vault};
pub use shape::{json_schema, reference, shape};
pub use sources::sources;
pub use store::Place;
pub use systems::System;
pub use telemetry::{Collector, Said};

/// A configuration in which nothing is wrong. Holds no secret, only their names.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the log is kept.
    pub store: Place,
    /// Where the gate listens.
    pub listen: SocketAddr,
    /// How bearer tokens are verified; `None` serves loopback only.
    pub auth: Option<Jwt>,
    /// What a request may cost.
    pub limits: gate::Limits,
    /// How many runs may come of one.
    pub runs_per_root: u64,
    /// How strictly acts are read, and which types beside the five.
    pub acts: act::Rules,
    /// Which traditional metric names are exported beside our own.
    pub metrics: watch::metrics::Compat,
    /// Where spans are exported to; `None` exports nothing.
    pub telemetry: Option<Collector>,
    /// Where operators are listened to, when not only beside the API.
    pub operators: Option<SocketAddr>,
    /// Where each secret comes from, by name.
    pub secrets: BTreeMap<String, Origin>,
    /// Where limits are counted over several nodes, by name.
    pub limit_stores: BTreeMap<String, LimitStore>,
    /// The systems that can be called, by normalised name (`-` is `_`).
    pub systems: BTreeMap<String, System>,
    /// The systems made of them, by normalised name; no name is in both.
    pub groups: BTreeMap<String, Group>,
    /// What acts mean here: entities, derived events, aliases, custom types.
    pub rules: react::Rules,
    /// What happens when something is committed, by flow.
    pub flows: BTreeMap<String, flow::Definition>,
}

impl Config {
    /// What can be called, groups included.
    pub fn specs(&self) -> impl Iterator<Item = &port::Spec> {
        let systems = self.systems.values().map(|system| &system.spec);
        systems.chain(self.groups.values().map(|group| &group.spec))
    }

    /// The names that flows may use, for definitions that runs have pinned and this configuration no longer holds.
    pub fn known(&self) -> flow::Known {
        flows::callable(&self.systems, &self.groups, self.flows.keys().cloned())
    }
}

/// What checking found. The configuration is there when no finding is an error.
#[derive(Debug)]
pub struct Report {
    /// The configuration, when it can be used.
    pub config: Option<Config>,
    /// Everything that was found, in the order of the files and of the lines in them.
    pub found: Vec<Diagnostic>,
}

/// Why there is no configuration: what was found, with the texts to show it in.
#[derive(Debug)]
pub struct Rejected {
    /// Everything that was found.
    pub found: Vec<Diagnostic>,
    /// The texts in which it was found.
    pub sources: Vec<Source>,
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&diag::render(&self.found, &self.sources, Colour::Plain))
    }
}

impl std::error::Error for Rejected {}

/// Finds everything that is wrong with these texts. Pure: reads no file, no variable, no clock.
pub fn check(sources: &[Source]) -> Report {
    check_with(sources, &Kinds::built_in())
}

/// The same, where `kinds` of adapters are known.
pub fn check_with(sources: &[Source], kinds: &Kinds) -> Report {
    let (root, mut found) = merge::documents(sources, kinds);
    let mut judge = judge::Judge::new(&root, &found);
    let config = read(&mut judge, kinds);
    let more = judge.found;
    found.extend(more);
    sort(&mut found, sources);
    let sound = found.iter().all(|found| found.severity < Severity::Error);
    Report { config: config.filter(|_| sound), found }
}

/// Reads and checks a file, or the files of a directory. Warnings come back beside the configuration.
///
/// # Errors
/// When a file cannot be read, or anything in it is an error.
pub fn load(path: &Path) -> Result<(Config, Vec<Diagnostic>), Rejected> {
    load_with(path, &Kinds::built_in())
}

/// The same, where `kinds` of adapters are known: for a server that brings some of its own.
///
/// # Errors
/// As for [`load`].
pub fn load_with(path: &Path, kinds: &Kinds) -> Result<(Config, Vec<Diagnostic>), Rejected> {
    let (sources, mut skipped) = sources(path).map_err(|found| Rejected { found, sources: Vec::new() })?;
    let Report { config, mut found } = check_with(&sources, kinds);
    found.append(&mut skipped);
    match config {
        Some(config) => Ok((config, found)),
        None => Err(Rejected { found, sources }),
    }
}

/// Every section is read even when another is wrong, so that all mistakes are found at once.
fn read(judge: &mut judge::Judge<'_>, kinds: &Kinds) -> Option<Config> {
    judge.version();
    let store = store::read(judge);
    let auth = auth::read(judge);
    let listen = door::listen(judge);
    limits::check(judge);
    let (limits, runs_per_root) = (limits::read(judge), limits::runs_per_root(judge));
    let operators = door::operators(judge);
    let metrics = door::metrics(judge);
    let telemetry = telemetry::read(judge);
    let secrets = secrets::read(judge);
    let limit_stores = limit_stores::read(judge);
    let profiles = profiles::read(judge);
    let systems = systems::read(judge, &profiles, kinds);
    let groups = groups::read(judge, &systems);
    let flows = flows::read(judge, &systems, &groups);
    let mut rules = react::Rules { routes: flows::routes(&flows), ..rules::read(judge) };
    (rules.limits.field_bytes, rules.limits.entity_bytes) = (limits.field, limits.entity);
    judge.found.extend(flow::circles(&flows, |system| rules.system(system)));
    let acts = rules::acts(judge, &rules.custom);
    Some(Config {
        store: store?,
        listen: listen?,
        auth,
        limits,
        runs_per_root,
        acts,
        metrics,
        telemetry,
        operators,
        secrets,
        limit_stores,
        systems,
        groups,
        rules,
        flows,
    })
}

fn sort(found: &mut [Diagnostic], sources: &[Source]) {
    let file = |found: &Diagnostic| sources.iter().position(|source| source.file == found.span.file);
    found.sort_by_key(|found| (file(found), found.span.line, found.span.column));
}
