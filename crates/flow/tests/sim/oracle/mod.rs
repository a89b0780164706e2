//! The six statements of "once, or undone", checked against the world's ledger and what the runs say of themselves; and
//! what the rules say beside them ([`orders`], [`hearings`], [`bounds`]).

mod bounds;
mod hearings;
mod losers;
mod orders;

use std::collections::{BTreeMap, BTreeSet};

use conversation::Change;
use flow::{Engine, RunView, StepStatus, StepView};
use jiff::Timestamp;
use serde_json::Value;
use store::{DeadFilter, DeadState, OutboxFilter, RunFilter, RunStatus, Store, Timer};

use crate::dice;
use crate::flows::Flows;
use crate::life::Life;
use crate::play::Play;

/// What the runs say of themselves at the end.
pub(crate) struct Found {
    pub(crate) runs: BTreeMap<String, Run>,
    timers: Vec<Timer>,
    /// Messages that are not delivered, and say so: `run/step`.
    undelivered: BTreeSet<String>,
    /// The events of the topic: version, position in the log, when.
    news: Vec<(u64, u64, Timestamp)>,
    /// How often nobody knew.
    pub(crate) unknown: u64,
}

/// One run.
pub(crate) struct Run {
    pub(crate) view: RunView,
    /// The run and step that began it.
    parent: Option<(String, String)>,
    journal: Vec<Entry>,
}

/// An entry of a journal.
struct Entry {
    at: Timestamp,
    /// Where it stands in the log of all.
    position: u64,
    event: Value,
}

impl Entry {
    fn is(&self, type_: &str) -> bool {
        self.event["type"] == type_
    }

    /// The last name of its path.
    fn step(&self) -> Option<&str> {
        name(self.event["path"].as_str()?)
    }
}

/// The name of the step at the end of a path.
fn name(path: &str) -> Option<&str> {
    let last = path.split(['/', '.']).next_back()?;
    last.split(['[', '~']).next()
}

impl Run {
    /// Where its last entry of this kind stands in the log.
    fn last(&self, type_: &str) -> Option<u64> {
        self.journal.iter().rev().find(|entry| entry.is(type_)).map(|entry| entry.position)
    }

    /// Whether a person has had a run restarted or undone that had ended.
    fn is_called_back(&self) -> bool {
        self.journal.iter().any(|entry| entry.is("RunRestarted") || entry.is("RunUndoing"))
    }
}

impl Found {
    pub(crate) fn digest(&self) -> u64 {
        let entries = self.runs.iter().flat_map(|(id, run)| run.journal.iter().map(move |entry| (id, entry)));
        let text = entries.map(|(id, entry)| format!("{id} {} {} {}", entry.at, entry.position, entry.event));
        dice::digest(text.collect::<Vec<_>>())
    }

    pub(crate) fn story(&self) -> String {
        let mut lines = Vec::new();
        for (id, run) in &self.runs {
            lines.push(format!("{id} {:?} {:?}", run.view.status, run.view.blocked_on));
            lines.extend(run.journal.iter().map(|entry| format!("  {} {}", entry.at, entry.event)));
        }
        lines.join("\n")
    }
}

/// Reads everything that the runs say.
pub(crate) async fn look(engine: &Engine, store: &Store) -> Found {
    let news = store.stream("topic-news", 0, 10_000).await.unwrap();
    let news = news.iter().map(|event| (event.version, event.position, event.at)).collect();
    let (runs, undelivered) = (BTreeMap::new(), BTreeSet::new());
    let mut found = Found { runs, timers: Vec::new(), undelivered, news, unknown: 0 };
    for row in store.runs(&RunFilter::default()).await.unwrap() {
        let view = engine.view(&row.id).await.unwrap();
        let events = store.stream(&format!("run-{}", row.id), 0, 10_000).await.unwrap();
        let entry = |event: &store::Event| Entry {
            at: event.at,
            position: event.position,
            event: serde_json::from_slice(&event.data).unwrap(),
        };
        let journal: Vec<Entry> = events.iter().map(entry).collect();
        found.unknown += journal.iter().filter(|entry| entry.is("StepUnknown")).count() as u64;
        let parent = journal.first().map(|entry| entry.event["parent"].clone()).unwrap_or_default();
        let text = |name: &str| parent[name].as_str().map(str::to_owned);
        let parent = text("run").zip(text("path"));
        found.runs.insert(row.id.clone(), Run { view, parent, journal });
    }
    let letters = store.dead(&DeadFilter::default()).await.unwrap();
    let replayed = |letter: &store::DeadLetter| letter.state == DeadState::Replayed;
    found.undelivered.extend(letters.into_iter().filter(|it| !replayed(it)).map(|letter| letter.source));
    let rows = store.outbox(&OutboxFilter::default()).await.unwrap();
    found.undelivered.extend(rows.into_iter().map(|row| row.id));
    found.timers = store.timers_due(Timestamp::MAX, None, 10_000).await.unwrap();
    found
}

/// What is wrong.
pub(crate) fn judge(found: &Found, play: &Play<'_>, now: Timestamp) -> Vec<String> {
    let (life, flows) = (&play.life, &play.case.flows);
    let mut wrong = Vec::new();
    for (id, run) in &found.runs {
        wrong.extend(taken_twice(id, run));
        if run.view.status.is_ended() {
            wrong.extend(stands(found, life, flows, id, run));
        } else {
            wrong.extend(waits(found, id, run, now));
        }
    }
    wrong.extend(told(found, life));
    wrong.extend(orders::judge(found, play));
    wrong.extend(hearings::judge(found, play));
    wrong.extend(bounds::judge(found, play));
    wrong
}

/// Statements 2 and 3: what a run that succeeded did stands once; what one did that was undone does not stand.
fn stands(found: &Found, life: &Life, flows: &Flows, id: &str, run: &Run) -> Vec<String> {
    let Some(kept) = is_kept(found, id, &mut BTreeSet::new()) else { return Vec::new() };
    let ledger = life.world.ledger();
    let lost = losers::lost(run, flows);
    let mut expected: BTreeMap<String, bool> = BTreeMap::new();
    let mut named = BTreeSet::new();
    for step in &run.view.steps {
        let Some(mark) = mark(id, step, flows) else { continue };
        // A message that is not delivered, or nobody knows of, is named by its letter or row.
        if found.undelivered.contains(&format!("{id}/{}", step.path)) {
            named.insert(mark);
            continue;
        }
        let undone = run.view.compensation.iter().any(|undo| is_undo_of(undo, &step.path));
        let done = step.status == StepStatus::Succeeded && !undone;
        let stands = kept && done && !lost.contains(step.path.as_str());
        let before = expected.entry(mark).or_default();
        *before |= stands;
    }
    let marks: BTreeSet<String> =
        ledger.effects.iter().map(|effect| effect.mark.clone()).filter(|mark| mark.starts_with(id)).collect();
    let mut wrong = Vec::new();
    for mark in marks.union(&expected.keys().cloned().collect()) {
        let standing = ledger.standing(mark).count();
        let step = mark.split('/').nth(1).and_then(|name| flows.steps.get(name));
        let Some(step) = step.filter(|_| !named.contains(mark)) else { continue };
        let again = ledger.doubled(mark);
        match expected.get(mark).copied().unwrap_or_default() {
            true if standing == 0 => {
                wrong.push(format!("2: {mark} succeeded and does not stand ({:?})", run.view.status))
            }
            false if standing > 0 && step.undo && !again => {
                wrong.push(format!("3: {mark} stands, and its run is {:?}", run.view.status));
            }
            _ => {}
        }
    }
    wrong
}

/// Whether this is the undoing of a step, which has succeeded or had nothing to undo.
fn is_undo_of(undo: &StepView, step: &str) -> bool {
    let over = matches!(undo.status, StepStatus::Compensated | StepStatus::Skipped);
    over && undo.path.strip_suffix("/undo").unwrap_or(&undo.path) == step
}

/// Whether what a run did is to stay; `None` while whoever began it has not ended.
fn is_kept(found: &Found, id: &str, seen: &mut BTreeSet<String>) -> Option<bool> {
    let run = found.runs.get(id)?;
    if !seen.insert(id.to_owned()) || !run.view.status.is_ended() {
        return None;
    }
    if run.view.status != RunStatus::Succeeded {
        return Some(false);
    }
    let Some((parent, path)) = &run.parent else { return Some(true) };
    let above = found.runs.get(parent)?;
    // What a person has done again when its parent was over stands for itself.
    if run.last("RunRestarted") > above.last("RunEnded") && above.view.status.is_ended() {
        return Some(true);
    }
    let kept = is_kept(found, parent, seen)?;
    let step = above.view.steps.iter().find(|step| step.path == *path)?;
    Some(kept && step.status == StepStatus::Succeeded)
}

/// The intent that a step is, as it was sent along.
pub(crate) fn mark(run: &str, step: &StepView, flows: &Flows) -> Option<String> {
    mark_of(run, &step.path, flows)
}

fn mark_of(run: &str, path: &str, flows: &Flows) -> Option<String> {
    let name = name(path)?;
    flows.steps.get(name)?;
    let rounds = path.split('[').skip(1).filter_map(|part| part.split(']').next());
    Some([run, name].into_iter().chain(rounds).collect::<Vec<_>>().join("/"))
}

/// Statement 1, of what is heard: an event or signal is taken once.
fn taken_twice(id: &str, run: &Run) -> Vec<String> {
    let taken = run.journal.iter().filter(|entry| entry.is("SignalTaken"));
    let mut seen = BTreeSet::new();
    let twice = taken
        .filter_map(|entry| entry.event["id"].as_str())
        .filter(|taken| !seen.insert((*taken).to_owned()));
    twice.map(|taken| format!("1: {id} took {taken} twice")).collect()
}

/// Statement 5: a run that is not over says what it waits for, and something will wake it.
fn waits(found: &Found, id: &str, run: &Run, now: Timestamp) -> Vec<String> {
    let say = |what: String| vec![format!("5: {id} {:?} {what}", run.view.status)];
    let timers: Vec<_> = found.timers.iter().filter(|timer| timer.run == id).collect();
    let Some(blocked) = &run.view.blocked_on else { return say("waits for nothing".to_owned()) };
    let mut overdue = timers.iter().filter(|timer| timer.due + jiff::SignedDuration::from_secs(60) < now);
    if run.view.status != RunStatus::Paused
        && let Some(due) = overdue.next()
    {
        return say(format!("slept over {} of {}", due.due, due.step));
    }
    match blocked.reason {
        "retry" | "timer" if timers.is_empty() => {
            say(format!("waits for a timer that is not there: {blocked:?}"))
        }
        "queued" => match blocked.on.as_ref().and_then(|on| on["run"].as_str()) {
            Some(ahead) if found.runs.get(ahead).is_some_and(|ahead| ahead.view.status.is_ended()) => {
                say(format!("queues behind {ahead}, which has ended"))
            }
            Some(_) => Vec::new(),
            None => say("queues behind nobody".to_owned()),
        },
        "answer" if timers.is_empty() && !waits_for_run(found, run) => {
            say(format!("waits for an answer that does not come: {blocked:?}"))
        }
        _ => Vec::new(),
    }
}

fn waits_for_run(found: &Found, run: &Run) -> bool {
    let on = run.view.blocked_on.as_ref().and_then(|blocked| blocked.on.as_ref());
    let child = on.and_then(|on| on["run"].as_str());
    child.and_then(|child| found.runs.get(child)).is_some_and(|child| !child.view.status.is_ended())
}

/// Statement 6: what the caller heard last is how the run ended.
fn told(found: &Found, life: &Life) -> Vec<String> {
    let said = life.voice.said.lock();
    let mut wrong = Vec::new();
    for (id, run) in &found.runs {
        let last = said.iter().rev().filter(|said| said.run == *id).find_map(|said| said.change.clone());
        let Some(last) = last else { continue };
        let right = match (run.view.status, &last) {
            (RunStatus::Succeeded, Change::Success { .. }) => true,
            (status, Change::Failed { .. }) => status != RunStatus::Succeeded,
            // What was wanted is done; what could not be taken back of another way that was tried waits for a person.
            (RunStatus::Parked, Change::Success { .. }) => run.view.error.is_none(),
            // One that has ended, and is to be done again or undone: nothing of that has begun.
            (RunStatus::Queued, Change::Success { .. }) => run.is_called_back(),
            (status, _) => !status.is_ended() && !matches!(last, Change::Success { .. }),
        };
        if !right {
            wrong.push(format!("6: {id} is {:?}, the caller heard {last:?}", run.view.status));
        }
    }
    wrong
}
