//! What runs hear: an answer names its question and counts once (R7), and nothing is lost between two waits (R8).

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::{Entry, Found, Run};
use crate::deed::Deed;
use crate::diary::Diary;
use crate::flows::Wait;
use crate::play::Play;

/// What came so shortly before a timeout may have been overtaken by it.
const SHORTLY: SignedDuration = SignedDuration::from_secs(1);

pub(super) fn judge(found: &Found, play: &Play<'_>) -> Vec<String> {
    let mut wrong = Vec::new();
    for (id, run) in &found.runs {
        wrong.extend(answers(id, run, &play.diary));
        // When clocks jump, nobody knows what was before what.
        if !play.case.deeds.iter().any(|(_, deed)| matches!(deed, Deed::Jump(_))) {
            wrong.extend(missed(id, run, found, play));
        }
    }
    wrong
}

/// Each answer that a run took is the first that was given to the very question which its step had asked, and none that
/// came when that was closed.
fn answers(id: &str, run: &Run, diary: &Diary) -> Vec<String> {
    let mut wrong = Vec::new();
    let (mut asked, mut questions) = (BTreeMap::new(), BTreeSet::new());
    for entry in &run.journal {
        let path = entry.event["path"].as_str().unwrap_or_default();
        if entry.is("QuestionAsked") {
            let question = entry.event["question"].as_str().unwrap_or_default();
            if !questions.insert(question) {
                wrong.push(format!("7: {id}/{path} asks {question} once more"));
            }
            asked.insert(path, question);
        }
        let taken = entry.event["id"].as_str().filter(|_| entry.is("SignalTaken"));
        let Some((taken, given)) = taken.and_then(|taken| Some((taken, diary.given.get(taken)?))) else {
            continue;
        };
        let question = asked.get(path).copied().unwrap_or_default();
        if given.run != id || given.question != question {
            wrong.push(format!(
                "7: {id}/{path} asked {question} and took {taken}, which answers {}",
                given.question
            ));
            continue;
        }
        let earlier = |it: &&crate::diary::Given| {
            it.question == question && it.run == id && it.sure && it.order < given.order
        };
        if diary.given.values().any(|it| earlier(&it)) {
            wrong.push(format!("7: {id}/{path} took {taken}, which was not the first answer"));
        }
        if diary.closed.get(question).is_some_and(|closed| *closed < given.order) {
            wrong.push(format!("7: {id}/{path} took {taken} when its question was closed"));
        }
    }
    wrong
}

/// A step that listens did not give up, or waits still, while there was something that it could hear.
fn missed(id: &str, run: &Run, found: &Found, play: &Play<'_>) -> Vec<String> {
    let mut taken = BTreeSet::new();
    let mut wrong = Vec::new();
    for entry in &run.journal {
        if let Some(heard) = entry.event["id"].as_str().filter(|_| entry.is("SignalTaken")) {
            taken.insert(heard.to_owned());
        }
        let listens = entry.step().and_then(|step| play.case.flows.waits.get(step));
        let gives_up = entry.is("TimerFired") && entry.event["timer"] == "timeout";
        let (Some(listens), true) = (listens, gives_up) else { continue };
        let there = match listens {
            Wait::Answer => None,
            Wait::Signal => signal_before(id, entry, &taken, &play.diary),
            Wait::Topic => event_before(run, entry, &taken, &found.news),
        };
        wrong.extend(
            there.map(|what| format!("8: {id}/{} gave up, and {what} was there", entry.event["path"])),
        );
    }
    wrong
}

fn signal_before(id: &str, entry: &Entry, taken: &BTreeSet<String>, diary: &Diary) -> Option<String> {
    let before = |at: Timestamp| at + SHORTLY < entry.at;
    let mut signals = diary.signals.iter().filter(|(run, _, at)| run == id && before(*at));
    signals.find(|(_, signal, _)| !taken.contains(signal)).map(|(_, signal, _)| signal.clone())
}

fn event_before(
    run: &Run,
    entry: &Entry,
    taken: &BTreeSet<String>,
    news: &[(u64, u64, Timestamp)],
) -> Option<String> {
    let began = run.journal.first()?.position;
    let events = news.iter().filter(|(_, position, at)| *position > began && *at + SHORTLY < entry.at);
    events.map(|(version, ..)| format!("news@{version}")).find(|event| !taken.contains(event))
}
