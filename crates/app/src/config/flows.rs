//! `flows`: compiled by `flow`, against the systems that exist.

use std::collections::BTreeMap;

use act::{Action, Word as _};
use diag::{Diagnostic, Entry, Node, Severity, Shape};
use flow::{Definition, Known, KnownOperation, Trigger};
use port::{Repeat, normalised};
use react::Route;

use super::code;
use super::groups::{Group, members};
use super::judge::Judge;
use super::shape::named;
use super::systems::System;

/// What is published.
pub(super) fn shape() -> Shape {
    named("flow", flow::shape())
}

/// What is checked before the flows are compiled: their names. The compiler checks the rest, after templates are
/// filled in.
pub(super) fn names_shape() -> Shape {
    named("flow", Shape::any())
}

/// Compiles every flow, by name; says what is wrong with any.
pub(super) fn read(
    judge: &mut Judge<'_>,
    systems: &BTreeMap<String, System>,
    groups: &BTreeMap<String, Group>,
) -> BTreeMap<String, Definition> {
    let entries = judge.names("flows");
    let known = known(judge, systems, groups);
    let mut flows = BTreeMap::new();
    for entry in entries {
        let (definition, mut found) = flow::compile(&entry.key, &entry.value, &known);
        found.extend(unknown_action(entry));
        let sound = found.iter().all(|found| found.severity < Severity::Error);
        judge.found.append(&mut found);
        flows.extend(definition.filter(|_| sound).map(|definition| (entry.key.clone(), definition)));
    }
    flows
}

/// Which flows take which commits.
pub(super) fn routes(flows: &BTreeMap<String, Definition>) -> Vec<Route> {
    let route = |(name, definition): (&String, &Definition)| {
        let Trigger::Commit { system, action } = definition.on.clone()?;
        Some(Route { system, action: action.as_deref().and_then(Action::parse), flow: name.clone() })
    };
    flows.iter().filter_map(route).collect()
}

/// What flows can name: these systems, groups and flows.
pub(super) fn callable(
    systems: &BTreeMap<String, System>,
    groups: &BTreeMap<String, Group>,
    flows: impl Iterator<Item = String>,
) -> Known {
    let specs = systems.values().map(|system| &system.spec);
    let mut known = Known::from_specs(specs.chain(groups.values().map(|group| &group.spec)));
    known.groups = groups.iter().map(|(name, group)| (name.clone(), group.members.clone())).collect();
    known.flows = flows.collect();
    known
}

fn known(judge: &Judge<'_>, systems: &BTreeMap<String, System>, groups: &BTreeMap<String, Group>) -> Known {
    let flows = judge.names("flows").iter().map(|entry| entry.key.clone());
    let mut known = callable(systems, groups, flows);
    // A system that is written wrong is reported once, where it is written, not at every call.
    for entry in judge.names("systems") {
        known.systems.entry(normalised(&entry.key)).or_insert_with(|| written(judge, &entry.value));
    }
    known
}

/// The operations that a broken system, or a group of such, was meant to have.
fn written(judge: &Judge<'_>, system: &Node) -> BTreeMap<String, KnownOperation> {
    let members: Vec<String> = members(system).into_iter().map(|(name, _)| normalised(name)).collect();
    let members = judge.names("systems").iter().filter(|entry| members.contains(&normalised(&entry.key)));
    let written = members.map(|entry| &entry.value).chain([system]);
    let sections = written.flat_map(Node::entries).filter_map(|entry| entry.value.get("operations"));
    let names = sections.flat_map(Node::entries).map(|entry| entry.key.clone());
    names.map(|name| (name, KnownOperation::new(Repeat::Safe))).collect()
}

/// A trigger for an action that no commit can have would never fire.
fn unknown_action(entry: &Entry) -> Option<Diagnostic> {
    let node = entry.value.at("/on/commit/action")?;
    let word = node.text().filter(|word| Action::parse(word).is_none())?;
    let words: Vec<&str> = Action::ALL.iter().map(|action| action.as_str()).collect();
    let message = format!("no commit has the action `{word}`");
    let mut found = Diagnostic::error(code::NO_SUCH_ACTION, &node.span, message);
    if let Some(near) = diag::nearest(word, words.iter().copied()) {
        found = found.help(format!("did you mean `{near}`?"));
    }
    Some(found.help(format!("one of {}", diag::quoted(&words))))
}
