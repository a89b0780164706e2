//! An answer names its question, counts once, and comes from whom the flow names.

use act::{Participant, ParticipantType};
use react::{By, Closing, Question, Rules, Standing, Wait, Want, close_question, end, join, open_waits};
use serde_json::{Value, json};

use crate::story::{Story, at, fact, names};

/// Asks with a `confirm` about `order_1`.
fn confirm(id: &str, text: &str) -> Wait {
    let question = Question {
        id: id.into(),
        text: text.into(),
        version: Some(0),
        shows: Value::Null,
        digest: "d".into(),
        by: By::default(),
        committer: Some("ann".into()),
        asked: at(0),
        expires: None,
    };
    let want = Want::Confirm { entity: Some("order_1".into()) };
    Wait { run: format!("run_{id}"), step: "sure".into(), want, question: Some(Box::new(question)) }
}

fn ask(id: &str, field: &str) -> Wait {
    let want = Want::Fact { entity: Some("order_1".into()), field: field.into() };
    let mut wait = Wait { want, ..confirm(id, "which?") };
    change(&mut wait, |question| question.version = None);
    wait
}

fn change(wait: &mut Wait, change: impl FnOnce(&mut Question)) {
    change(wait.question.as_mut().expect("it asks a question"));
}

fn by(mut wait: Wait, by: By) -> Wait {
    change(&mut wait, |question| question.by = by);
    wait
}

fn story(waits: Vec<Wait>) -> Story {
    let mut story = Story::new(Rules::default());
    for name in ["bob", "eve"] {
        let mut who = Participant::new(name, ParticipantType::Human);
        who.role = (name == "eve").then(|| "manager".to_owned());
        let joined = join(&story.rules, &story.talk, who, name == "eve").expect("joins");
        story.fold(&joined);
    }
    let opened = open_waits(&story.rules, &story.talk, waits).expect("opens");
    story.fold(&opened);
    story
}

fn yes(speaker: &str, summary: &str, question: Option<&str>) -> Value {
    let metadata = question.map_or_else(|| json!({}), |id| json!({ "cardan": { "question": id } }));
    json!({
        "type": "confirm", "entity": "order_1", "summary": summary, "confirmed": true, "speaker": speaker,
        "metadata": metadata,
    })
}

/// What an act sets off: the questions whose runs hear of it, and the codes its speaker is told.
fn says(story: &mut Story, act: Value) -> (Vec<String>, Vec<&'static str>) {
    let decision = story.say(act).expect("taken");
    let heard = decision.signals.into_iter().filter_map(|signal| signal.question).collect();
    (heard, decision.warnings.iter().map(|issue| issue.code).filter(|code| *code != "warn.clock").collect())
}

fn nothing(codes: &[&'static str]) -> (Vec<String>, Vec<&'static str>) {
    (Vec::new(), codes.to_vec())
}

fn one(id: &str) -> (Vec<String>, Vec<&'static str>) {
    (vec![id.to_owned()], Vec::new())
}

#[test]
fn a_yes_answers_the_question_with_its_words_once() {
    let mut story = story(vec![confirm("q_1", "Pay 600?")]);
    assert_eq!(says(&mut story, yes("ann", "A receipt?", None)), nothing(&["question.unmatched"]));
    assert_eq!(says(&mut story, yes("ann", " Pay 600? ", None)), one("q_1"));
    assert_eq!(says(&mut story, yes("ann", "Pay 600?", None)), nothing(&["question.answered"]));
    assert_eq!(says(&mut story, yes("ann", "Pay 600?", Some("q_1"))), nothing(&["question.answered"]));
    assert!(story.talk.waits.is_empty());
}

#[test]
fn a_value_that_does_not_fit_leaves_the_question_open_and_says_why() {
    let mut story = story(vec![ask("q_1", "size")]);
    let demands = json!({
        "type": "ask", "field": "size", "prompt": "Which size?",
        "constraints": [{ "type": "max_length", "value": 1 }],
    });
    story.say(demands).expect("taken");
    for named in [None, Some("q_1")] {
        let mut large = fact("order_1", "size", "XXL");
        if let Some(id) = named {
            large["metadata"] = json!({ "cardan": { "question": id } });
        }
        let decision = story.say(large).expect("taken");
        let codes: Vec<_> = decision.warnings.iter().map(|issue| issue.code).collect();
        assert!(
            codes.contains(&"question.invalid") && decision.signals.is_empty(),
            "{:?}",
            decision.warnings
        );
    }
    assert_eq!(says(&mut story, fact("order_1", "size", "M")), one("q_1"));
}

#[test]
fn a_late_copy_does_not_answer_the_next_question() {
    let mut story = story(vec![confirm("q_1", "Pay?")]);
    assert_eq!(says(&mut story, yes("ann", "Pay?", None)), one("q_1"));
    let opened = open_waits(&story.rules, &story.talk, vec![confirm("q_2", "Ship?")]).unwrap();
    story.fold(&opened);
    assert_eq!(says(&mut story, yes("ann", "Pay?", None)), nothing(&["question.answered"]));
    assert_eq!(says(&mut story, yes("ann", "Pay?", Some("q_1"))), nothing(&["question.answered"]));
    assert_eq!(says(&mut story, yes("ann", "Ship?", None)), one("q_2"));
}

#[test]
fn of_two_with_the_same_words_one_has_to_be_named() {
    let mut story = story(vec![confirm("q_1", "Pay?"), confirm("q_2", "Pay?")]);
    assert_eq!(says(&mut story, yes("ann", "Pay?", None)), nothing(&["question.ambiguous"]));
    assert_eq!(says(&mut story, yes("ann", "Pay?", Some("q_2"))), one("q_2"));
    assert_eq!(says(&mut story, yes("ann", "Pay?", None)), one("q_1"));
}

#[test]
fn two_asks_of_one_field_are_answered_one_by_one() {
    let mut story = story(vec![ask("q_1", "size"), ask("q_2", "size"), ask("q_3", "colour")]);
    assert_eq!(says(&mut story, fact("order_1", "size", 40)), nothing(&["question.ambiguous"]));
    assert_eq!(says(&mut story, fact("order_1", "colour", "red")), one("q_3"));
    let mut named = fact("order_1", "size", 41);
    named["metadata"] = json!({ "cardan": { "question": "q_1" } });
    assert_eq!(says(&mut story, named.clone()), one("q_1"));
    assert_eq!(says(&mut story, named), nothing(&["question.answered"]));
    assert_eq!(says(&mut story, fact("order_1", "size", 42)), one("q_2"));
}

#[test]
fn a_named_question_is_answered_by_what_it_asks_for() {
    let mut story = story(vec![confirm("q_1", "Pay?")]);
    let mut other = yes("ann", "Pay?", Some("q_1"));
    other["entity"] = "order_2".into();
    assert_eq!(says(&mut story, other), nothing(&["question.mismatch"]));
    assert_eq!(says(&mut story, yes("ann", "Pay?", Some("q_9"))), nothing(&["question.unknown"]));
}

#[test]
fn whoever_takes_no_part_answers_nothing() {
    for speakers in [act::UnknownSpeaker::Allow, act::UnknownSpeaker::Warn] {
        let mut story = story(vec![confirm("q_1", "Pay?"), ask("q_2", "size")]);
        story.rules.speakers = speakers;
        let mut of = |act: Value| story.say(act).map(|_| ()).map_err(|refusal| refusal.code);
        assert_eq!(of(yes("mallory", "Pay?", None)), Err("question.not_participant"));
        assert_eq!(of(yes("mallory", "Pay?", Some("q_1"))), Err("question.not_participant"));
        let mut size = fact("order_1", "size", 1);
        size["speaker"] = "mallory".into();
        assert_eq!(of(size), Err("question.not_participant"));
        assert_eq!(of(yes("mallory", "A receipt?", None)), Ok(()), "other acts go as configured");
        assert_eq!(story.talk.waits.len(), 2);
    }
}

#[test]
fn four_eyes_are_two_people() {
    let four_eyes = By { not_committer: true, ..By::default() };
    let mut story = story(vec![by(confirm("q_1", "Pay?"), four_eyes)]);
    assert_eq!(story.say(yes("ann", "Pay?", None)).unwrap_err().code, "question.not_allowed");
    assert_eq!(says(&mut story, yes("bob", "Pay?", None)), one("q_1"));
}

#[test]
fn a_role_is_the_tokens_or_what_is_vouched_for() {
    let managers = By { role: vec!["manager".into(), "owner".into()], ..By::default() };
    let denied = |story: &mut Story, speaker: &str| story.say(yes(speaker, "Pay?", None)).unwrap_err().code;
    let mut story = story(vec![by(confirm("q_1", "Pay?"), managers)]);
    assert_eq!(
        denied(&mut story, "eve"),
        "question.not_allowed",
        "what a conversation says of somebody is no role"
    );
    story.standing = Standing { roles: vec!["owner".into()], ..Standing::default() };
    assert_eq!(says(&mut story, yes("bob", "Pay?", None)), one("q_1"));
    let opened = open_waits(
        &story.rules,
        &story.talk,
        vec![by(confirm("q_2", "Ship?"), By { role: vec!["manager".into()], ..By::default() })],
    );
    story.fold(&opened.unwrap());
    story.standing = Standing { vouches: true, ..Standing::default() };
    assert_eq!(story.say(yes("bob", "Ship?", None)).unwrap_err().code, "question.not_allowed");
    assert_eq!(says(&mut story, yes("eve", "Ship?", None)), one("q_2"));
}

#[test]
fn who_is_named_by_permission_or_by_name_may_answer() {
    let refunds = By { permission: vec!["refund.approve".into()], ..By::default() };
    let only_bob = By { participant: vec!["bob".into()], ..By::default() };
    let mut story = story(vec![by(confirm("q_1", "Pay?"), refunds), by(ask("q_2", "size"), only_bob)]);
    assert_eq!(story.say(yes("ann", "Pay?", Some("q_1"))).unwrap_err().code, "question.not_allowed");
    story.standing.permissions = vec!["refund.approve".into()];
    assert_eq!(says(&mut story, yes("ann", "Pay?", Some("q_1"))), one("q_1"));
    assert_eq!(
        says(&mut story, fact("order_1", "size", 3)),
        nothing(&["question.not_allowed"]),
        "it is a fact all the same"
    );
    let mut size = fact("order_1", "size", 4);
    size["speaker"] = "bob".into();
    assert_eq!(says(&mut story, size), one("q_2"));
}

#[test]
fn after_its_time_a_question_is_not_answered() {
    let mut late = confirm("q_1", "Pay?");
    change(&mut late, |question| question.expires = Some(at(99)));
    let mut story = story(vec![late]);
    assert_eq!(says(&mut story, yes("ann", "Pay?", None)), nothing(&["question.expired"]));
    assert_eq!(says(&mut story, yes("ann", "Pay?", Some("q_1"))), nothing(&["question.expired"]));
    let closed = close_question(&story.talk, "q_1", Closing::Expired, None, None);
    story.fold(&closed);
    assert_eq!(says(&mut story, yes("ann", "Pay?", Some("q_1"))), nothing(&["question.expired"]));
}

#[test]
fn a_change_of_what_is_shown_withdraws_the_question() {
    let mut story = story(vec![confirm("q_1", "Pay 600?"), ask("q_2", "size")]);
    let decision = story.say(fact("order_1", "amount", 900)).unwrap();
    assert_eq!(names(&decision), ["ActProcessed", "entity-state-changed", "WaitClosed"]);
    assert_eq!(decision.signals[0].how, Closing::Changed);
    assert_eq!(says(&mut story, yes("ann", "Pay 600?", Some("q_1"))), nothing(&["question.withdrawn"]));
    assert_eq!(says(&mut story, yes("ann", "Pay 600?", None)), nothing(&["question.withdrawn"]));
    assert_eq!(
        says(&mut story, fact("order_2", "amount", 9)),
        nothing(&[]),
        "another entity withdraws nothing"
    );
    assert_eq!(says(&mut story, fact("order_1", "size", 9)), one("q_2"), "an ask shows its words only");
}

#[test]
fn a_conversation_that_ends_tells_who_waits() {
    let older = Wait { question: None, step: "old".into(), ..confirm("q_0", "") };
    let mut story = story(vec![confirm("q_1", "Pay?"), older]);
    let ended = end(&story.talk, act::ConversationStatus::Completed, None, at(1)).unwrap();
    let told: Vec<_> = ended.signals.iter().map(|signal| (&*signal.step, signal.how)).collect();
    assert_eq!(told, [("sure", Closing::Ended), ("old", Closing::Ended)]);
    story.fold(&ended);
    assert!(story.talk.waits.is_empty());
}

#[test]
fn an_older_wait_is_answered_by_its_entity_as_before() {
    let older = Wait { question: None, ..confirm("q_0", "") };
    let mut story = story(vec![older]);
    assert_eq!(story.say(yes("mallory", "whatever", None)).unwrap_err().code, "question.not_participant");
    let decision = story.say(yes("ann", "whatever", None)).unwrap();
    assert_eq!(decision.signals[0].step, "sure");
    assert!(decision.signals[0].question.is_none() && story.talk.waits.is_empty());
}

#[test]
fn closed_questions_are_remembered_for_a_while() {
    let mut story = story(Vec::new());
    for number in 0..40 {
        let opened =
            open_waits(&story.rules, &story.talk, vec![confirm(&format!("q_{number}"), "Pay?")]).unwrap();
        story.fold(&opened);
        assert_eq!(says(&mut story, yes("ann", "Pay?", None)), one(&format!("q_{number}")));
    }
    assert_eq!(story.talk.past.len(), 32);
    assert_eq!(says(&mut story, yes("ann", "Pay?", Some("q_39"))), nothing(&["question.answered"]));
    assert_eq!(says(&mut story, yes("ann", "Pay?", Some("q_1"))), nothing(&["question.unknown"]));
}

#[test]
fn a_step_has_one_open_question() {
    let mut story = story(vec![confirm("q_1", "Pay?")]);
    let mut again = confirm("q_2", "Pay?");
    again.run = "run_q_1".into();
    let opened = open_waits(&story.rules, &story.talk, vec![again.clone()]).unwrap();
    assert_eq!(names(&opened), ["WaitClosed", "WaitOpened"]);
    story.fold(&opened);
    assert!(open_waits(&story.rules, &story.talk, vec![again]).unwrap().events.is_empty(), "asked once");
    assert_eq!(says(&mut story, yes("ann", "Pay?", None)), one("q_2"));
}
