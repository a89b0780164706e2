//! Runs wait for answers, and acts answer them.

use react::{Closing, Rules, Wait, Want, close_waits, open_waits};
use serde_json::json;

use crate::story::{Story, derive, fact, names};

fn waiting(rules: Rules, waits: &[(&str, Want)]) -> Story {
    let mut story = Story::new(rules);
    let waits = waits.iter().map(|(step, want)| wait(step, want.clone())).collect();
    let opened = open_waits(&story.rules, &story.talk, waits).expect("room");
    story.fold(&opened);
    story
}

fn wait(step: &str, want: Want) -> Wait {
    Wait { run: "run_1".into(), step: step.into(), want, question: None }
}

fn wants_fact(entity: Option<&str>, field: &str) -> Want {
    Want::Fact { entity: entity.map(str::to_owned), field: field.into() }
}

#[test]
fn a_fact_answers_once() {
    let mut story = waiting(Rules::default(), &[("email", wants_fact(Some("x"), "email"))]);
    assert!(story.say(fact("x", "phone", "1")).unwrap().signals.is_empty());
    assert!(story.say(fact("y", "email", "b")).unwrap().signals.is_empty());
    let decision = story.say(fact("x", "email", "a")).unwrap();
    assert_eq!(names(&decision), ["ActProcessed", "entity-state-changed", "WaitAnswered"]);
    let signal = &decision.signals[0];
    assert_eq!((signal.run.as_str(), signal.step.as_str(), &signal.payload), ("run_1", "email", &json!("a")));
    assert_eq!(signal.id, "email/act_3");
    assert!(story.say(fact("x", "email", "c")).unwrap().signals.is_empty());
}

#[test]
fn an_invalid_fact_answers_nothing() {
    let mut story = waiting(Rules::default(), &[("email", wants_fact(None, "email"))]);
    let ask = json!({"type": "ask", "field": "email", "prompt": "?", "constraints": [{"type": "format", "value": "email"}]});
    story.say(ask).unwrap();
    assert!(story.say(fact("x", "email", "no")).unwrap().signals.is_empty());
    assert_eq!(story.say(fact("x", "email", "a@b.co")).unwrap().signals.len(), 1);
}

#[test]
fn a_confirm_with_an_answer_answers() {
    let mut story = waiting(Rules::default(), &[("ok", Want::Confirm { entity: Some("x".into()) })]);
    let asked = json!({"type": "confirm", "entity": "x", "summary": "one pizza", "awaiting": true});
    assert!(story.say(asked).unwrap().signals.is_empty());
    let said = json!({"type": "confirm", "entity": "x", "summary": "one pizza", "confirmed": false, "rejection_reason": "two"});
    let decision = story.say(said).unwrap();
    assert_eq!(decision.signals[0].payload, json!({"confirmed": false, "reason": "two"}));
    assert!(story.talk.waits.is_empty());
}

#[test]
fn what_is_published_answers() {
    let mut rules = Rules::default();
    rules.derive.push(derive(json!({"on": "fact", "topic": "paid", "payload": {"sum": "${act.value}"}})));
    let mut story = waiting(rules, &[("paid", Want::Event { topic: "paid".into() })]);
    assert_eq!(story.say(fact("x", "sum", 5)).unwrap().signals[0].payload, json!({"sum": 5}));
}

#[test]
fn a_wait_is_opened_once_and_can_be_closed() {
    let mut story = waiting(Rules::default(), &[("a", wants_fact(None, "f")), ("b", wants_fact(None, "f"))]);
    let again = open_waits(&story.rules, &story.talk, vec![wait("a", wants_fact(None, "f"))]).unwrap();
    assert!(again.events.is_empty());
    let closed = close_waits(&story.talk, "run_1", Some("a"), Closing::Withdrawn);
    story.fold(&closed);
    assert_eq!(story.talk.waits.len(), 1);
    let rest = close_waits(&story.talk, "run_1", None, Closing::Withdrawn);
    story.fold(&rest);
    assert!(close_waits(&story.talk, "run_1", None, Closing::Withdrawn).events.is_empty());
    assert!(story.say(fact("x", "f", 1)).unwrap().signals.is_empty());
    story.rules.limits.waits = 0;
    assert_eq!(
        open_waits(&story.rules, &story.talk, vec![wait("a", wants_fact(None, "f"))]).unwrap_err().code,
        "conversation.full"
    );
}
