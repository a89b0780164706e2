//! `systems.<name>.group`: a system made of systems. It has no guard: its members have theirs.

use std::collections::BTreeMap;

use diag::{Diagnostic, Entry, Field, Node, Shape, Span};
use guard::Pick;
use port::{Spec, normalised};

use super::code;
use super::judge::{Judge, unknown};
use super::systems::System;

/// A system made of systems.
#[derive(Clone, Debug)]
pub struct Group {
    /// The name as it was written.
    pub name: String,
    /// Who is asked first.
    pub pick: Pick,
    /// The members' normalised names, in the order written.
    pub members: Vec<String>,
    /// What it can do.
    pub spec: Spec,
}

/// The key beside the adapters' keys.
pub(super) const KEY: &str = "group";

/// A member as it is written: its name and where that stands.
type Written<'a> = (&'a str, &'a Span);

pub(super) fn field() -> Field {
    let members = || Shape::list(Shape::text()).length(1..=64);
    let weights = Shape::map("member", Shape::int(0..=1_000)).length(1..=64);
    let hedged = Shape::object([
        Field::new("after", Shape::duration())
            .required()
            .doc("how long to wait for one before asking the next"),
        Field::new("members", members()).required().doc("in the order in which they are asked"),
    ]);
    let ways = [
        Field::new("failover", members()).doc("the first that answers, in this order"),
        Field::new("round_robin", members()).doc("each in turn"),
        Field::new("weighted", weights).doc("in turn, in proportion; 0 is asked only when the others fail"),
        Field::new("fastest", members()).doc("the one that answered fastest lately"),
        Field::new("hedged", hedged)
            .doc("in this order; safe operations are also sent to the next one when there is no answer"),
    ];
    let names = ["failover", "round_robin", "weighted", "fastest", "hedged"];
    Field::new(KEY, Shape::object(ways).exactly_one_of(names))
        .doc("a system made of systems, for its callers one")
}

pub(super) fn read(judge: &mut Judge<'_>, systems: &BTreeMap<String, System>) -> BTreeMap<String, Group> {
    let groups = judge.names("systems").iter().filter(|entry| is_group(&entry.value));
    groups.filter_map(|entry| Some((normalised(&entry.key), group(judge, systems, entry)?))).collect()
}

pub(super) fn is_group(system: &Node) -> bool {
    system.get(KEY).is_some()
}

/// The names of a group's members, as they are written.
pub(super) fn members(system: &Node) -> Vec<Written<'_>> {
    let Some(way) = system.get(KEY).and_then(|group| group.entries().first()) else { return Vec::new() };
    match way.key.as_str() {
        "weighted" => way.value.entries().iter().map(|entry| (entry.key.as_str(), &entry.key_span)).collect(),
        "hedged" => texts(way.value.get("members")),
        _ => texts(Some(&way.value)),
    }
}

fn texts(list: Option<&Node>) -> Vec<Written<'_>> {
    let items = list.map_or(&[][..], Node::items).iter();
    items.filter_map(|item| Some((item.text()?, &item.span))).collect()
}

fn group(judge: &mut Judge<'_>, systems: &BTreeMap<String, System>, entry: &Entry) -> Option<Group> {
    unguarded(judge, &entry.value);
    let section = entry.value.entries().iter().find(|section| section.key == KEY)?;
    let way = section.value.entries().first()?;
    let written = members(&entry.value);
    let right = (0..written.len()).filter(|at| is_member(judge, &written, *at)).count() == written.len();
    if !right || !judge.is_sound(&section.key_span, &section.value) {
        return None;
    }
    let pick = pick(way)?;
    let members: Vec<String> = written.iter().map(|(name, _)| normalised(name)).collect();
    // A member that is written wrong is reported where it is written.
    let specs: Option<Vec<&Spec>> = members.iter().map(|name| Some(&systems.get(name)?.spec)).collect();
    match guard::group::check(&entry.key, specs?, &pick) {
        Ok(spec) => Some(Group { name: entry.key.clone(), pick, members, spec }),
        Err(why) => {
            judge.push(Diagnostic::error(code::NO_GROUP, &section.key_span, why));
            None
        }
    }
}

/// Numbers beside a group would be nobody's.
fn unguarded(judge: &mut Judge<'_>, system: &Node) {
    for entry in system.entries().iter().filter(|entry| matches!(entry.key.as_str(), "guard" | "profile")) {
        let message = format!("a group has no `{}` of its own", entry.key);
        let found = Diagnostic::error(code::GUARDED_GROUP, &entry.key_span, message);
        judge.push(found.help("each member is guarded by its own numbers: write them there"));
    }
}

/// Whether the member at that place of the list is a system, no group, and not there before.
fn is_member(judge: &mut Judge<'_>, written: &[Written<'_>], at: usize) -> bool {
    let (name, place) = written[at];
    let entries = judge.names("systems");
    let Some(system) = entries.iter().find(|entry| normalised(&entry.key) == normalised(name)) else {
        let known = entries.iter().filter(|entry| !is_group(&entry.value)).map(|entry| entry.key.as_str());
        judge.push(unknown(code::NO_SUCH_MEMBER, place, "system", name, known));
        return false;
    };
    let found = if is_group(&system.value) {
        let found = Diagnostic::error(code::BAD_MEMBER, place, format!("`{name}` is itself a group"));
        found.help("name its members instead")
    } else if written[..at].iter().any(|(before, _)| normalised(before) == normalised(name)) {
        let found = Diagnostic::error(code::BAD_MEMBER, place, format!("`{name}` is a member twice"));
        found.help("name it once; `weighted` asks one member more often than another")
    } else {
        return true;
    };
    judge.push(found);
    false
}

fn pick(way: &Entry) -> Option<Pick> {
    Some(match way.key.as_str() {
        "failover" => Pick::Failover,
        "round_robin" => Pick::RoundRobin,
        "fastest" => Pick::Fastest,
        "weighted" => {
            let weight = |entry: &Entry| entry.value.u64().and_then(|weight| u32::try_from(weight).ok());
            Pick::Weighted(way.value.entries().iter().map(weight).collect::<Option<_>>()?)
        }
        _ => Pick::Hedged { after: way.value.get("after")?.duration()? },
    })
}
