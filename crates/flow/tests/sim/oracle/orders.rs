//! What goes in order: runs of one key one at a time (R4), messages of one key and lane as they were told (R11).

use std::collections::BTreeMap;

use super::{Entry, Found, Run, mark_of};
use crate::ledger::Request;
use crate::play::Play;

pub(super) fn judge(found: &Found, play: &Play<'_>) -> Vec<String> {
    let mut wrong = turns(found);
    wrong.extend(undone_below(found));
    wrong.extend(messages(found, play));
    wrong
}

/// The line and key in which a run stands, when it has a place of its own there.
fn place(run: &Run) -> Option<(String, String)> {
    let start = &run.journal.first()?.event;
    let line = start["space"].as_str().or(start["flow"].as_str())?;
    let key = start["key"].as_str()?;
    let held = start["held"]
        .as_array()
        .is_some_and(|held| held.iter().any(|it| it["line"] == line && it["key"] == key));
    (!held).then(|| (line.to_owned(), key.to_owned()))
}

/// While a run of a key is at work, from its turn to its end or until a person lets others pass, no other begins.
fn turns(found: &Found) -> Vec<String> {
    let mut lines: BTreeMap<_, Vec<(u64, &str, &Entry)>> = BTreeMap::new();
    for (id, run) in &found.runs {
        let Some(place) = place(run) else { continue };
        let line = lines.entry(place).or_default();
        line.extend(run.journal.iter().map(|entry| (entry.position, id.as_str(), entry)));
    }
    let mut wrong = Vec::new();
    for line in lines.values_mut() {
        line.sort_by_key(|(position, ..)| *position);
        let (mut at_work, mut released) = (BTreeMap::new(), BTreeMap::new());
        for (_, run, entry) in line.iter() {
            match entry.event["type"].as_str().unwrap_or_default() {
                "RunTaken" => {
                    let others = at_work.keys().filter(|other| *other != run);
                    if !released.contains_key(run) {
                        wrong.extend(others.map(|other| format!("4: {run} has begun beside {other}")));
                        at_work.insert(*run, ());
                    }
                }
                "KeyReleased" => {
                    at_work.remove(run);
                    released.insert(*run, ());
                }
                "RunEnded" if entry.event["status"] != "parked" => {
                    at_work.remove(run);
                }
                _ => {}
            }
        }
    }
    wrong
}

/// Nobody who does not insist undoes a run below a later one of its key that stands.
fn undone_below(found: &Found) -> Vec<String> {
    let mut wrong = Vec::new();
    for (id, run) in &found.runs {
        let Some(own) = place(run) else { continue };
        let mut asked = None;
        for entry in &run.journal {
            match entry.event["type"].as_str().unwrap_or_default() {
                "RunUndoing" if entry.event["force"] != true => asked = Some(()),
                "UndoRefused" => asked = None,
                "RunTaken" if asked.take().is_some() => {
                    let above = |(_, other): &(&String, &Run)| {
                        let began = other.journal.first().map(|first| first.position);
                        place(other).as_ref() == Some(&own)
                            && began > run.journal.first().map(|first| first.position)
                    };
                    let stood =
                        found.runs.iter().filter(above).find(|(_, other)| stands_at(other, entry.position));
                    wrong.extend(
                        stood.map(|(later, _)| format!("4: {id} was undone below {later}, which stands")),
                    );
                }
                _ => {}
            }
        }
    }
    wrong
}

/// Whether a run had succeeded, and nobody had called it back, at a moment.
fn stands_at(run: &Run, position: u64) -> bool {
    let before = run.journal.iter().take_while(|entry| entry.position < position);
    let last = before
        .filter(|entry| ["RunEnded", "RunRestarted", "RunUndoing"].iter().any(|it| entry.is(it)))
        .last();
    last.is_some_and(|last| last.is("RunEnded") && last.event["status"] == "succeeded")
}

/// A message that was told.
struct Told {
    position: u64,
    mark: String,
}

/// Messages of one key reach one system in the order in which they were told; each once, while nothing fails.
fn messages(found: &Found, play: &Play<'_>) -> Vec<String> {
    let flows = &play.case.flows;
    let mut lanes: BTreeMap<(&str, String), Vec<Told>> = BTreeMap::new();
    for (id, run) in &found.runs {
        if run.is_called_back() || run.journal.iter().any(|entry| entry.is("StepReplayed")) {
            continue;
        }
        let start = &run.journal[0].event;
        let line = start["space"].as_str().or(start["flow"].as_str()).unwrap_or_default();
        let order = start["key"].as_str().map_or_else(|| id.clone(), |key| format!("{line} {key}"));
        for entry in run.journal.iter().filter(|entry| entry.is("StepSucceeded")) {
            let told = entry.step().and_then(|step| flows.steps.get(step)?.tells);
            let mark = entry.event["path"].as_str().and_then(|path| mark_of(id, path, flows));
            let (Some(system), Some(mark)) = (told, mark) else { continue };
            let lane = lanes.entry((system, order.clone())).or_default();
            lane.push(Told { position: entry.position, mark });
        }
    }
    lanes.values_mut().flat_map(|lane| lane_in_order(lane, play)).collect()
}

fn lane_in_order(lane: &mut [Told], play: &Play<'_>) -> Vec<String> {
    lane.sort_by_key(|told| told.position);
    let ledger = play.life.world.ledger();
    let mut wrong = Vec::new();
    // Up to where in the ledger those before have been sent.
    let mut before: Option<(usize, &Told)> = None;
    for told in lane.iter() {
        let of = |it: &Request| it.mark == told.mark && is_put(&it.operation);
        let sent: Vec<usize> = (0..ledger.requests.len()).filter(|at| of(&ledger.requests[*at])).collect();
        let (Some(first), Some(last)) = (sent.first(), sent.last()) else { continue };
        if let Some((at, other)) = before.filter(|(at, _)| at > first) {
            let (came, at) = (ledger.requests[*first].at, ledger.requests[at].at);
            wrong.push(format!("11: {} came at {came:?}, {} at {at:?}", told.mark, other.mark));
        }
        before = before.filter(|(at, _)| at > last).or(Some((*last, told)));
        let calm = play.case.faults == 0 && play.life.world.crashes() == 0;
        if calm && sent.len() > 1 && ledger.again(&told.mark) == 0 {
            wrong.push(format!("11: {} came {} times", told.mark, sent.len()));
        }
    }
    wrong
}

fn is_put(operation: &str) -> bool {
    operation.ends_with(".put")
}
