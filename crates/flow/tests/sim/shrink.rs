//! Makes a case that fails as small as it goes.

use serde_json::Value;

use crate::case::Case;
use crate::play::play;

/// The rules that are broken: the numbers before the colons.
fn rules(violations: &[String]) -> Vec<char> {
    violations.iter().filter_map(|violation| violation.chars().next()).collect()
}

/// The smallest case found that breaks the first of these rules still.
pub(crate) fn shrunk(case: &Case, violations: &[String]) -> Case {
    let Some(rule) = rules(violations).first().copied() else { return case.clone() };
    if std::env::var("SIM_SEED").is_err() {
        return case.clone();
    }
    let mut smallest = case.clone();
    let fails = |case: &Case| {
        let case = case.clone();
        let played = std::panic::catch_unwind(move || play(&case).violations);
        played.is_ok_and(|violations| rules(&violations).contains(&rule))
    };
    loop {
        let Some(smaller) = smaller(&smallest).into_iter().find(|case| fails(case)) else { return smallest };
        smallest = smaller;
    }
}

fn smaller(case: &Case) -> Vec<Case> {
    let mut cases = Vec::new();
    for at in 0..case.kills.len() {
        let mut less = case.clone();
        less.kills.remove(at);
        cases.push(less);
    }
    for at in 0..case.deeds.len() {
        let mut less = case.clone();
        less.deeds.remove(at);
        cases.push(less);
    }
    if case.runs > 1 {
        cases.push(Case { runs: case.runs - 1, ..case.clone() });
    }
    for (name, flow) in &case.flows.text {
        for less_flow in without_one(flow) {
            let mut less = case.clone();
            less.flows.text.insert(name.clone(), less_flow);
            cases.push(less);
        }
    }
    cases
}

/// Every way to leave out one element of a list of tasks, anywhere in it.
fn without_one(value: &Value) -> Vec<Value> {
    let mut less = Vec::new();
    match value {
        Value::Array(items) => {
            if items.len() > 1 && items.iter().all(Value::is_object) {
                for at in 0..items.len() {
                    let mut fewer = items.clone();
                    fewer.remove(at);
                    less.push(Value::Array(fewer));
                }
            }
            for (at, item) in items.iter().enumerate() {
                for smaller in without_one(item) {
                    let mut changed = items.clone();
                    changed[at] = smaller;
                    less.push(Value::Array(changed));
                }
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                for smaller in without_one(member) {
                    let mut changed = members.clone();
                    changed.insert(name.clone(), smaller);
                    less.push(Value::Object(changed));
                }
            }
        }
        _ => {}
    }
    less
}
