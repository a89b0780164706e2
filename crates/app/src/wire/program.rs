//! What the deployment says: rules of entities, flows, and which commits start them.

use act::Word;
use diag::{Diagnostic, Severity};
use flow::{Definition, Known, Trigger};
use react::{Route, Rules};

use crate::cli::Failure;
use crate::config::Config;

/// The deployment's rules and flows, compiled.
pub(super) struct Program {
    pub(super) rules: Rules,
    pub(super) definitions: Vec<Definition>,
    pub(super) known: Known,
}

/// Compiles what `cardan check` has found to be right.
pub(super) fn compile(config: &Config) -> Result<Program, Failure> {
    let mut found: Vec<Diagnostic> = Vec::new();
    let mut known = Known::from_specs(config.systems.values().map(|system| &system.spec));
    known.flows = config.flows.iter().map(|entry| entry.key.clone()).collect();

    let mut rules = config.rules.clone();
    let mut definitions = Vec::new();
    for entry in &config.flows {
        let (definition, mistakes) = flow::compile(&entry.key, &entry.value, &known);
        found.extend(mistakes);
        definitions.extend(definition);
    }
    found.retain(|diagnostic| diagnostic.severity == Severity::Error);
    if !found.is_empty() {
        return Err(Failure::found(&found));
    }
    rules.routes = definitions.iter().filter_map(route).collect();
    Ok(Program { rules, definitions, known })
}

/// Which commits a flow takes.
fn route(definition: &Definition) -> Option<Route> {
    let Trigger::Commit { system, action } = definition.on.as_ref()?;
    let action = action.as_deref().and_then(act::Action::parse);
    Some(Route { system: system.clone(), action, flow: definition.name.to_string() })
}
