//! `profiles`: guard numbers by name, the built-in ones and the user's own.

use std::collections::BTreeMap;

use diag::{Diagnostic, Entry, Field, Node, Shape, Span};
use guard::Policy;

use super::judge::{Judge, unknown};
use super::shape::named;
use super::{code, guard as numbers};

/// Every profile there is, by name.
pub(super) struct Profiles(BTreeMap<String, Policy>);

impl Profiles {
    /// The profile of that name; an unknown one is reported and replaced by the default.
    pub(super) fn find(&self, judge: &mut Judge<'_>, name: &str, place: &Span) -> Policy {
        match self.0.get(name) {
            Some(policy) => policy.clone(),
            None => {
                let known = self.0.keys().map(String::as_str);
                judge.push(unknown(code::NO_SUCH_PROFILE, place, "profile", name, known));
                Policy::default()
            }
        }
    }
}

pub(super) fn shape() -> Shape {
    let built_in: Vec<&str> = guard::profiles().map(|(name, _)| name).collect();
    let extends = Field::new("extends", Shape::text())
        .default("default")
        .doc(format!("the profile to start from: {} or one of your own", diag::quoted(&built_in)));
    named("profile", Shape::object([extends]).with(numbers::fields()))
}

pub(super) fn read(judge: &mut Judge<'_>) -> Profiles {
    let mut profiles: BTreeMap<String, Policy> =
        guard::profiles().map(|(name, policy)| (name.to_owned(), policy)).collect();
    let mut open: Vec<&Entry> = Vec::new();
    for entry in judge.names("profiles") {
        if profiles.contains_key(&entry.key) {
            let message = format!("`{}` is a built-in profile", entry.key);
            let found = Diagnostic::error(code::PROFILE_TAKEN, &entry.key_span, message);
            judge.push(found.help(format!("choose another name, and write `extends: {}`", entry.key)));
        } else {
            open.push(entry);
        }
    }
    // Each round resolves those whose start is known; what is left over extends itself or nothing.
    loop {
        let (ready, rest): (Vec<_>, Vec<_>) =
            open.into_iter().partition(|entry| profiles.contains_key(start(entry)));
        for entry in &ready {
            let policy = extended(judge, entry, &profiles[start(entry)]);
            profiles.insert(entry.key.clone(), policy);
        }
        open = rest;
        if ready.is_empty() {
            break;
        }
    }
    report(judge, &open, &profiles);
    profiles.extend(open.into_iter().map(|entry| (entry.key.clone(), Policy::default())));
    Profiles(profiles)
}

fn start(entry: &Entry) -> &str {
    entry.value.get("extends").and_then(Node::text).unwrap_or("default")
}

fn extended(judge: &mut Judge<'_>, entry: &Entry, base: &Policy) -> Policy {
    let mut policy = base.clone();
    numbers::apply(&mut policy, &entry.value);
    let base = format!("the profile {}", start(entry));
    conflicts(judge, &policy, &entry.value, &entry.key_span, &base);
    policy
}

fn report(judge: &mut Judge<'_>, open: &[&Entry], profiles: &BTreeMap<String, Policy>) {
    for entry in open {
        let Some(node) = entry.value.get("extends") else { continue };
        let name = start(entry);
        if open.iter().any(|other| other.key == name) {
            let message = format!("`{}` ends up extending itself", entry.key);
            let found = Diagnostic::error(code::PROFILE_CIRCLE, &node.span, message);
            judge.push(found.help("let one of the circle extend a built-in profile"));
        } else {
            let own = open.iter().map(|entry| entry.key.as_str()).filter(|own| *own != entry.key);
            let known = profiles.keys().map(String::as_str).chain(own);
            judge.push(unknown(code::NO_SUCH_PROFILE, &node.span, "profile", name, known));
        }
    }
}

/// Reports numbers that cannot go together, at the key at fault where `node` has it, else at `here`. What `node` does
/// not say comes from `base`.
pub(super) fn conflicts(judge: &mut Judge<'_>, policy: &Policy, node: &Node, here: &Span, base: &str) {
    if !judge.is_sound(here, node) {
        return;
    }
    half_limit(judge, policy, node);
    for conflict in policy.conflicts() {
        let mut place = here;
        let mut inner = Some(node);
        for key in conflict.at.split('.') {
            let entry = inner.and_then(|node| node.entries().iter().find(|entry| entry.key == key));
            place = entry.map_or(place, |entry| &entry.key_span);
            inner = entry.map(|entry| &entry.value);
        }
        let message = format!("{}: {}", conflict.at, conflict.message);
        let found = Diagnostic::error(code::GUARD_CONFLICT, place, message);
        let own = node.at(&format!("/{}", conflict.at.replace('.', "/"))).is_some();
        let help = format!("`{}` comes from {base}; set it here too", conflict.at);
        judge.push(if own { found } else { found.help(help) });
    }
}

/// Where the profile has no limit, both numbers are needed.
fn half_limit(judge: &mut Judge<'_>, policy: &Policy, node: &Node) {
    let written =
        node.entries().iter().find(|entry| entry.key == "limit" && !entry.value.entries().is_empty());
    if let (Some(entry), None) = (written, &policy.limit) {
        let found =
            Diagnostic::error(code::HALF_LIMIT, &entry.key_span, "the profile has no limit to change");
        judge.push(found.help("write both `capacity:` and `refill_per_second:`"));
    }
}
