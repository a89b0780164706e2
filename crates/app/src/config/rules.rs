//! `entities`, `derive`, `aliases` and `validation`: what acts mean here, compiled by `react`.

use std::collections::{BTreeMap, BTreeSet};

use act::UnknownSpeaker;
use diag::{Field, Node, Shape};
use port::normalised;
use react::{DeriveRule, EntityRules, Rules};

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
        Field::new("custom_types", custom).doc("types of act known beside the five"),
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

/// Whether acts with unknown members are refused.
pub(super) fn strict(judge: &Judge<'_>) -> bool {
    judge.root.at("/validation/strict_mode").and_then(Node::bool).unwrap_or(true)
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

fn custom(judge: &Judge<'_>) -> BTreeSet<String> {
    let types = judge.root.at("/validation/custom_types");
    types.map(|types| types.texts().map(str::to_owned).collect()).unwrap_or_default()
}

fn speakers(judge: &Judge<'_>) -> UnknownSpeaker {
    let word = judge.root.at("/validation/unknown_speaker").and_then(Node::text);
    let known = SPEAKERS.iter().find(|(name, _)| Some(*name) == word);
    known.map_or_else(UnknownSpeaker::default, |(_, speaker)| *speaker)
}
