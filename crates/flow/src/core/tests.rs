//! The core against random flows and random outcomes: no step twice, undone exactly in reverse, always an end or a
//! named blocker, and the fold of the journal stands where the live state stood.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use port::{Fault, Kind, Landed, Rejection, Repeat, Reply};
use proptest::prelude::*;
use serde_json::{Value, json};
use store::RunStatus;

use super::{Decision, Effect, Event, Purpose, Start, State, Verdict};
use crate::definition::{Definition, Known, KnownOperation, compile};

/// One random flow: nested sequences, loops, forks and tries around keyed calls.
fn block(depth: u32) -> BoxedStrategy<Value> {
    let call = Just(
        json!({ "call": "s.do", "on_exhausted": "compensate", "compensate": { "call": "s.undo", "with": { "of": "${ result.n }" } } }),
    );
    let step = if depth == 0 {
        call.boxed()
    } else {
        let inner = || block(depth - 1);
        prop_oneof![
            4 => call,
            1 => inner().prop_map(|tasks| json!({ "do": tasks })),
            1 => inner().prop_map(|tasks| json!({ "do": tasks, "for": { "in": "${ [1, 2] }" } })),
            1 => (inner(), inner()).prop_map(|(a, b)| json!({ "fork": { "a": a, "b": b } })),
            1 => (inner(), inner()).prop_map(|(a, b)| json!({ "try": a, "catch": { "do": b, "compensate": true } })),
        ]
        .boxed()
    };
    prop::collection::vec(step, 1..4).prop_map(Value::Array).boxed()
}

fn flow(tasks: &Value) -> Definition {
    let operation = || KnownOperation::new(Repeat::Keyed);
    let operations = [("do".to_owned(), operation()), ("undo".to_owned(), operation())].into();
    let known = Known { systems: [("s".to_owned(), operations)].into(), ..Known::default() };
    let (definition, found) = compile("random", &diag::Node::from_json(&json!({ "do": tasks })), &known);
    definition.unwrap_or_else(|| panic!("{found:?}"))
}

/// Plays a run to its end. `outcomes` says which calls of steps are refused (1), lost after acting (2), or succeed.
struct Play {
    state: State,
    journal: Vec<Event>,
    acted: Vec<Arc<str>>,
    undone: Vec<Arc<str>>,
}

fn play(definition: &Definition, outcomes: &[u8]) -> Play {
    let start = Start { run: "run_1".into(), scheme: 1, input: json!({}), ..Start::default() };
    let state = State::new(Arc::new(start), Timestamp::UNIX_EPOCH);
    let mut play = Play { state, journal: Vec::new(), acted: Vec::new(), undone: Vec::new() };
    let mut waiting: Vec<Effect> = Vec::new();
    play.note(definition, Event::RunTaken, &mut waiting);
    let mut turn = 0;
    while !waiting.is_empty() {
        // Calls in flight come home in an order that the outcomes choose.
        let outcome = outcomes[turn % outcomes.len()];
        let effect = waiting.remove(turn.wrapping_mul(7).wrapping_add(outcome as usize) % waiting.len());
        turn += 1;
        let reply = play.call(&effect, outcome, turn);
        let verdict = Verdict {
            now: play.state.now,
            took: Default::default(),
            unit: 0.5,
            max_output: 1 << 20,
            rejected: 0,
        };
        let event = play.state.judge(&effect, reply, verdict);
        play.note(definition, event, &mut waiting);
        assert!(turn < 10_000, "the run goes on for ever");
    }
    play
}

impl Play {
    fn call(&mut self, effect: &Effect, outcome: u8, turn: usize) -> Result<Reply, Fault> {
        let first = !self.acted.contains(&effect.path);
        match (effect.purpose, outcome) {
            (Purpose::Do, 1) => return Err(Fault::new(Kind::Refused, Landed::No, "no")),
            (Purpose::Do, 2) if first => {
                self.acted.push(effect.path.clone());
                return Err(Fault::new(Kind::Timeout, Landed::Unknown, "lost"));
            }
            (Purpose::Do, _) => {
                assert!(first, "{} acted twice", effect.path);
                self.acted.push(effect.path.clone());
            }
            (Purpose::Undo, _) => self.undone.push(effect.path.trim_end_matches("/undo").into()),
            (Purpose::Before | Purpose::Recall | Purpose::Verify, _) => {}
        }
        Ok(Reply { output: json!({ "n": turn }), ..Reply::default() })
    }

    fn note(&mut self, definition: &Definition, event: Event, waiting: &mut Vec<Effect>) {
        let mut events = vec![event];
        let mut later: Vec<(Arc<str>, Timestamp)> = Vec::new();
        loop {
            let decisions = match (events.pop(), later.pop()) {
                (Some(event), again) => {
                    later.extend(again);
                    let decisions = self.state.apply(definition, &event, Timestamp::UNIX_EPOCH);
                    self.journal.push(event);
                    decisions
                }
                (None, Some((path, until))) => self.state.again(definition, &path, until),
                (None, None) => break,
            };
            for decision in decisions {
                match decision {
                    Decision::Call(effect) => {
                        if effect.written {
                            let (path, member) = (effect.path.clone(), None);
                            events.push(Event::StepStarted {
                                path,
                                member,
                                leaves_until: None,
                                keyed_as: None,
                            });
                        }
                        waiting.push(effect);
                    }
                    Decision::Defer { path, error, until } => {
                        events.push(Event::StepUnfinished { path, error, until });
                    }
                    Decision::Again { path, until } => later.push((path, until)),
                    Decision::End(ended) => events.push(Event::RunEnded(ended)),
                    Decision::Settle { .. } | Decision::Clear { .. } => {}
                    other => panic!("unexpected {other:?}"),
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_run_ends_and_undoes_in_reverse(tasks in block(2), outcomes in prop::collection::vec(prop_oneof![6 => Just(0u8), 1 => Just(1u8), 1 => Just(2u8)], 1..12)) {
        let definition = flow(&tasks);
        let play = play(&definition, &outcomes);
        let ended = play.state.ended.as_ref();
        prop_assert!(ended.is_some(), "stands still at {:?}", play.state.status());
        let mut undone = play.undone.clone();
        undone.sort();
        undone.dedup();
        prop_assert_eq!(undone.len(), play.undone.len(), "undone twice");
        if ended.is_some_and(|ended| ended.status != RunStatus::Succeeded) {
            prop_assert_eq!(play.undone.len(), play.acted.len(), "acted {:?} undone {:?}", &play.acted, &play.undone);
        }
        // The fold of the journal stands where the live state stood.
        let mut again = State::new(play.state.start.clone(), Timestamp::UNIX_EPOCH);
        for event in &play.journal {
            let text = serde_json::to_string(event).unwrap();
            let event: Event = serde_json::from_str(&text).unwrap();
            again.apply(&definition, &event, Timestamp::UNIX_EPOCH);
        }
        prop_assert_eq!(&again.ended, &play.state.ended);
        prop_assert_eq!(&again.steps, &play.state.steps);
    }
}

#[test]
fn a_sequence_is_undone_exactly_in_reverse() {
    let call = json!({ "call": "s.do", "on_exhausted": "compensate", "compensate": { "call": "s.undo" } });
    let tasks: Vec<Value> = ["a", "b", "c", "d"].iter().map(|name| json!({ *name: call })).collect();
    let play = play(&flow(&Value::Array(tasks)), &[0, 0, 0, 2, 0, 0, 0, 0, 0]);
    let undone: Vec<&str> = play.undone.iter().map(|path| &**path).collect();
    assert_eq!(undone, ["d", "c", "b", "a"]);
}

/// A run that is about to make its first call.
fn begun(step: &Value) -> (Definition, State, Effect) {
    let definition = flow(&json!([step]));
    let start = Start { run: "run_1".into(), scheme: 1, input: json!({}), ..Start::default() };
    let mut state = State::new(Arc::new(start), Timestamp::UNIX_EPOCH);
    let decided = state.apply(&definition, &Event::RunTaken, Timestamp::UNIX_EPOCH);
    let effect = decided.into_iter().find_map(|decision| match decision {
        Decision::Call(effect) => Some(effect),
        _ => None,
    });
    (definition, state, effect.expect("a call"))
}

fn vain(state: &State, effect: &Effect, fault: &Fault, rejected: u32) -> Event {
    let verdict = Verdict { now: state.now, took: Duration::ZERO, unit: 0.0, max_output: 1 << 20, rejected };
    state.judge(effect, Err(fault.clone()), verdict)
}

/// What becomes of a call that is made in vain again and again, until something else comes of it than a wait.
fn in_vain(retry: &Value, fault: &Fault) -> (u32, Event) {
    let (definition, mut state, effect) =
        begun(&json!({ "call": "s.do", "on_exhausted": "compensate", "retry": retry }));
    for round in 1..1_000 {
        let event = vain(&state, &effect, fault, round);
        state.apply(&definition, &event, Timestamp::UNIX_EPOCH);
        if !matches!(event, Event::StepBlocked { .. } | Event::StepRetried { .. }) {
            return (round, event);
        }
    }
    panic!("goes on for ever");
}

#[test]
fn a_call_that_opens_its_own_breaker_comes_to_an_end() {
    let opened = Fault { attempts: 1, ..Fault::rejected(Rejection::BreakerOpen, None) };
    let (rounds, event) = in_vain(&json!({ "attempts": 3 }), &opened);
    assert!(matches!(event, Event::StepExhausted { .. }), "{event:?}");
    assert_eq!(rounds, 20, "an outage takes more than the three rounds of a broken call");
    assert_eq!(in_vain(&json!({ "attempts": 30 }), &opened).0, 30, "unless more are wanted");
}

#[test]
fn a_system_that_says_when_to_come_back_is_asked_again_then() {
    let throttled = Fault::new(Kind::Throttled, Landed::No, "too many").after(Some(Duration::from_secs(600)));
    let (_, state, effect) = begun(&json!({ "call": "s.do" }));
    let event = vain(&state, &effect, &throttled, 0);
    let Event::StepRetried { until, .. } = event else { panic!("{event:?}") };
    assert_eq!(until, Timestamp::from_second(600).unwrap(), "one round is all that the step's `retry` gives");
    assert_eq!(in_vain(&json!({}), &throttled).0, 20);
}
