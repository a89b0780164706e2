//! Bounds and blame: how many runs may come of one (R9), who said no (R6), whose commands a journal names (R10), whose key
//! a system saw (R15), what the caller was told of what is undone (R2).

use std::collections::BTreeMap;

use conversation::Change;
use serde_json::Value;
use store::RunStatus;

use super::{Entry, Found, Run, mark_of};
use crate::deed::Deed;
use crate::flows::Flows;
use crate::people::OPS;
use crate::play::Play;

pub(super) fn judge(found: &Found, play: &Play<'_>) -> Vec<String> {
    let mut wrong = families(found, play);
    for (id, run) in &found.runs {
        wrong.extend(noes(id, run, play));
        wrong.extend(faults(id, run, play));
        wrong.extend(rollback(id, run, play));
        wrong.extend(doubts(id, run));
    }
    wrong.extend(commands(found, play));
    wrong.extend(keys(play));
    wrong
}

/// No more runs come of one than are allowed.
fn families(found: &Found, play: &Play<'_>) -> Vec<String> {
    let mut families: BTreeMap<&str, u64> = BTreeMap::new();
    for run in found.runs.values() {
        if let Some(root) = run.journal.first().and_then(|first| first.event["lineage"]["root"].as_str()) {
            *families.entry(root).or_default() += 1;
        }
    }
    let most = play.case.runs_per_root;
    let too_many = families.into_iter().filter(|(_, runs)| *runs > most);
    too_many.map(|(root, runs)| format!("9: {runs} runs have come of {root}, allowed are {most}")).collect()
}

/// What a system is said to have answered, it was asked.
fn noes(id: &str, run: &Run, play: &Play<'_>) -> Vec<String> {
    let ledger = play.life.world.ledger();
    let said = |entry: &&Entry| {
        let code = entry.event["error"]["code"].as_str().unwrap_or_default();
        entry.is("StepFailed") && code.starts_with("call.")
    };
    let unasked = run.journal.iter().filter(said).filter_map(|entry| {
        let path = entry.event["path"].as_str()?;
        let mark = mark_of(id, path.strip_suffix("/undo").unwrap_or(path), &play.case.flows)?;
        let asked = ledger.requests.iter().any(|it| it.mark == mark);
        (!asked)
            .then(|| format!("6: {mark} failed as {}, and no system was asked", entry.event["error"]["code"]))
    });
    unasked.collect()
}

/// Our own fault undoes nothing that had been done before it, unless the flow says so.
fn faults(id: &str, run: &Run, play: &Play<'_>) -> Option<String> {
    let ended = run.journal.iter().find(|entry| entry.is("RunEnded"))?;
    let error = Some(&ended.event["error"]).filter(|error| error["code"] == "flow.expression")?;
    let texts = [&play.case.flows.text, &play.case.flows.next];
    let says = |text: &&BTreeMap<String, Value>| {
        text.get(&run.view.flow).is_some_and(|flow| flow["on_fault"] == "compensate")
    };
    // When clocks jump, nobody knows what was before what.
    let jumps = play.case.deeds.iter().any(|(_, deed)| matches!(deed, Deed::Jump(_)));
    if texts.iter().any(says) || jumps || run.is_called_back() {
        return None;
    }
    let fault = run.view.steps.iter().find(|step| error["step"] == step.path.as_str())?;
    let did = |entry: &&Entry| {
        let acts = entry
            .step()
            .is_some_and(|step| play.case.flows.steps.get(step).is_some_and(|step| step.tells.is_none()));
        entry.is("StepSucceeded") && acts && entry.at < fault.started
    };
    let done = run.journal.iter().find(did)?;
    Some(format!("6: {id} ended for a fault of ours, {}, and had done {}", fault.path, done.event["path"]))
}

/// Nothing that came to nothing is over while nobody knows whether a step landed.
fn doubts(id: &str, run: &Run) -> Vec<String> {
    // One that has succeeded on another way has left to its author what it does not undo.
    let over = run.view.status.is_ended() && run.view.status != RunStatus::Succeeded;
    if !over || run.is_called_back() {
        return Vec::new();
    }
    let told = ["OutcomeFound", "StepCompensated", "StepSettled", "StepSucceeded", "StepFailed"];
    let mut open: BTreeMap<&str, &Entry> = BTreeMap::new();
    for entry in &run.journal {
        let Some(path) = entry.event["path"].as_str() else { continue };
        let step = path.strip_suffix("/undo").unwrap_or(path);
        if entry.is("StepUnknown") {
            open.insert(step, entry);
        } else if told.iter().any(|type_| entry.is(type_)) {
            open.remove(step);
        }
    }
    let left = open.into_iter();
    left.map(|(step, since)| format!("2: {id} has ended, and nobody knows of {step} since {}", since.at))
        .collect()
}

/// Every command that was obeyed is in a journal, with who gave it.
fn commands(found: &Found, play: &Play<'_>) -> Option<String> {
    let entries = found.runs.values().flat_map(|run| &run.journal);
    let named = entries.filter(|entry| entry.event["by"] == OPS).count();
    let obeyed = play.diary.obeyed;
    (named < obeyed).then(|| format!("10: {obeyed} commands were obeyed, {named} are written down"))
}

/// No two intents share a key.
fn keys(play: &Play<'_>) -> Vec<String> {
    let ledger = play.life.world.ledger();
    let mut keys: BTreeMap<&str, &str> = BTreeMap::new();
    let mut wrong = Vec::new();
    for request in ledger.requests.iter().filter(|it| it.operation.ends_with(".put") && !it.key.is_empty()) {
        let first = keys.entry(&request.key).or_insert(&request.mark);
        if *first != request.mark {
            wrong.push(format!("15: {first} and {} have one key", request.mark));
        }
    }
    wrong
}

/// What the caller was told last of a run that came to nothing: what is called undone is, and what stands is named.
fn rollback(id: &str, run: &Run, play: &Play<'_>) -> Vec<String> {
    let said = play.life.voice.said.lock();
    let last = said.iter().rev().filter(|said| said.run == id).find_map(|said| said.change.clone());
    let Some(Change::Failed { rollback, .. }) = last.filter(|_| run.view.status.is_ended()) else {
        return Vec::new();
    };
    let flows: &Flows = &play.case.flows;
    let named = |list: &str| -> Vec<String> {
        let list = rollback.as_ref().and_then(|rollback| rollback.get(list)).and_then(Value::as_array);
        let paths = list.into_iter().flatten().filter_map(Value::as_str);
        paths.filter_map(|path| mark_of(id, path, flows)).collect()
    };
    let (undone, left) = (named("undone"), named("not_undone"));
    let ledger = play.life.world.ledger();
    let standing = |mark: &String| ledger.standing(mark).next().is_some() && !ledger.doubled(mark);
    let stands = undone.iter().filter(|mark| standing(mark));
    let mut wrong: Vec<_> =
        stands.map(|mark| format!("6: the caller heard that {mark} is undone, and it stands")).collect();
    let own = ledger.effects.iter().filter(|effect| effect.mark.split('/').next() == Some(id));
    let silent = own.map(|effect| &effect.mark).filter(|mark| standing(mark) && !left.contains(*mark));
    wrong.extend(silent.map(|mark| format!("6: {mark} stands, and the caller did not hear of it")));
    wrong
}
