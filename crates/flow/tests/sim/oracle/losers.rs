//! Which steps are in branches that have lost a race, and are to be undone for it (R5).

use std::collections::BTreeSet;

use flow::StepStatus;
use serde_json::Value;

use super::{Run, name};
use crate::flows::Flows;

/// The paths of the steps that have lost a race whose losers are not kept.
pub(super) fn lost<'a>(run: &'a Run, flows: &Flows) -> BTreeSet<&'a str> {
    let mut lost = BTreeSet::new();
    let decided = |step: &&flow::StepView| step.task == "fork" && step.status == StepStatus::Succeeded;
    for race in run.view.steps.iter().filter(decided) {
        let task = name(&race.path).and_then(|name| texts(flows).find_map(|flow| task(flow, name)));
        let (Some(task), Some(winners)) = (task, race.result.as_ref().and_then(Value::as_object)) else {
            continue;
        };
        if task["race"] == false || task["losers"] == "keep" {
            continue;
        }
        let branches = task["fork"].as_object().into_iter().flatten();
        let losers: Vec<&Value> =
            branches.filter(|(name, _)| !winners.contains_key(*name)).map(|(_, branch)| branch).collect();
        // What is in the race begins like it: with the rounds that it is in.
        let around = race.path.rsplit_once('.').map_or("", |(around, _)| around);
        let inside =
            run.view.steps.iter().map(|step| step.path.as_str()).filter(|path| path.starts_with(around));
        lost.extend(
            inside.filter(|path| {
                name(path).is_some_and(|name| losers.iter().any(|branch| task_in(branch, name)))
            }),
        );
    }
    lost
}

fn texts(flows: &Flows) -> impl Iterator<Item = &Value> {
    flows.text.values().chain(flows.next.values())
}

fn task_in(value: &Value, name: &str) -> bool {
    task(value, name).is_some()
}

/// The task of this name, anywhere below.
fn task<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    match value {
        Value::Array(items) => items.iter().find_map(|item| task(item, name)),
        Value::Object(members) => {
            members.get(name).or_else(|| members.values().find_map(|member| task(member, name)))
        }
        _ => None,
    }
}
