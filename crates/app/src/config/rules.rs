//! `entities`, `derive`, `aliases` and `validation`: what acts mean here, compiled by `react`.

use std::collections::{BTreeMap, BTreeSet};

use act::{UnknownSpeaker, Word as _};
use diag::{Diagnostic, Field, Node, Shape};
use port::normalised;
use react::{DeriveRule, EntityRules, Rules};

use super::code;
use super::judge::Judge;
use super::shape::named;

const SPEAKERS: [(&str, UnknownSpeaker); 3] =
    [("warn", UnknownSpeaker::Warn), ("reject", UnknownSpeaker::Reject), ("allow", UnknownSpeaker::Allow)];

pub(super) fn entities_shape() -> Shape {
    named("entity type", react::entity_shape())
}

pub(super) fn derive_shape() -> Shape {
    Shape::list(react::derive_shape())
}

pub(super) fn aliases_shape() -> Shape {
    named("system", Shape::text())
}

pub(super) fn validation_shape() -> Shape {
    let custom = Shape::list(Shape::text().pattern("^[a-z][a-z0-9_.]*$", "the type of an act"));
    Shape::object([
        Field::new("strict_mode", Shape::bool())
            .default(true)
            .doc("refuse acts with unknown members; `false` accepts what older ASTRA tools send"),
        Field::new("unknown_speaker", Shape::choice(SPEAKERS.map(|(word, _)| word)))
            .default("warn")
            .doc("what becomes of a speaker who is no participant"),
        Field::new("custom_types", custom).doc(
            "types of act taken beside the five, in strict mode too; their members are kept as they are said",
        ),
    ])
}

/// Everything but the routes, which the flows say.
pub(super) fn read(judge: &mut Judge<'_>) -> Rules {
    Rules {
        entities: entities(judge),
        derive: derive(judge),
        aliases: aliases(judge),
        custom: custom(judge),
        speakers: speakers(judge),
        ..Rules::default()
    }
}

/// How acts are read.
pub(super) fn acts(judge: &Judge<'_>, custom: &BTreeSet<String>) -> act::Rules {
    let strict = judge.root.at("/validation/strict_mode").and_then(Node::bool).unwrap_or(true);
    let mut rules = if strict { act::Rules::strict() } else { act::Rules::compat() };
    for name in custom {
        // The name was judged before; the members are their speaker's affair.
        let _ = rules.register(name, |_| Vec::new());
    }
    rules
}

fn entities(judge: &mut Judge<'_>) -> BTreeMap<String, EntityRules> {
    let mut rules = BTreeMap::new();
    for entry in judge.names("entities") {
        match EntityRules::compile(&judge.pruned(&entry.value)) {
            Ok(rule) => _ = rules.insert(entry.key.clone(), rule),
            Err(found) => judge.add_new(found),
        }
    }
    rules
}

fn derive(judge: &mut Judge<'_>) -> Vec<DeriveRule> {
    let mut rules = Vec::new();
    for node in judge.section("derive").map_or(&[][..], Node::items) {
        match DeriveRule::compile(&judge.pruned(node)) {
            Ok(rule) => rules.push(rule),
            Err(found) => judge.add_new(found),
        }
    }
    rules
}

fn aliases(judge: &Judge<'_>) -> BTreeMap<String, String> {
    let pairs = judge.names("aliases").iter();
    pairs.filter_map(|entry| Some((normalised(&entry.key), normalised(entry.value.text()?)))).collect()
}

fn custom(judge: &mut Judge<'_>) -> BTreeSet<String> {
    let types = judge.root.at("/validation/custom_types").map(Node::items).unwrap_or_default();
    let mut names = BTreeSet::new();
    for (name, place) in types.iter().filter_map(|node| Some((node.text()?, &node.span))) {
        if act::Kind::parse(name).is_some() {
            let found = Diagnostic::error(code::NOT_CUSTOM, place, format!("`{name}` is one of the five"));
            judge.push(found.help("name the types that you add; the five are always known"));
        } else {
            names.insert(name.to_owned());
        }
    }
    names
}

fn speakers(judge: &Judge<'_>) -> UnknownSpeaker {
    let word = judge.root.at("/validation/unknown_speaker").and_then(Node::text);
    let known = SPEAKERS.iter().find(|(name, _)| Some(*name) == word);
    known.map_or_else(UnknownSpeaker::default, |(_, speaker)| *speaker)
}
