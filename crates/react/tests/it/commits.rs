//! ACT-6, ACT-8, ACT-9: commits start flows, and their outcomes come back as acts.

use act::{CommitStatus, ConversationStatus};
use react::{Change, Decision, Event, Rules};
use serde_json::{Value, json};

use crate::story::{Story, at, codes, commit, data, fact, failure, names, route, rules};

fn success(id: &str) -> Change {
    Change::Success { transaction_id: Some(id.to_owned()) }
}

fn failed(code: &str) -> Change {
    Change::Failed { error: failure(code), retries: 0, rollback: None }
}

/// What the acts of a decision say: name, type, status.
fn told(decision: &Decision) -> Vec<Value> {
    let acts = decision.events.iter().filter(|event| event.name() == "ActProcessed");
    acts.map(|event| {
        let act = &data(event)["act"];
        json!([act["id"], act["type"], act["status"]])
    })
    .collect()
}

#[test]
fn act_6_a_commit_starts_the_flow_that_takes_it() {
    let mut story = Story::new(rules(json!({})));
    story.say(fact("order_1", "total_amount", 12)).unwrap();
    let decision = story.say(commit("order-management", "create")).unwrap();
    assert_eq!(names(&decision), ["ActProcessed"]);
    assert_eq!(data(&decision.events[0])["result"], json!({"status": "routed", "runs": 1}));
    let start = &decision.starts[0];
    assert_eq!((start.flow.as_str(), start.commit_id.as_str()), ("create-order", "act_2"));
    assert_eq!(start.system.as_deref(), Some("order_management"), "C13: one name for a system");
    assert_eq!(start.idempotency_key.as_deref(), Some("k-1"));
    assert_eq!(start.input["entity"], json!({"id": "order_1", "type": "order", "total_amount": 12}));
    assert_eq!(start.input["act"]["id"], "act_2");
    assert_eq!(story.talk.commits["act_2"].status, CommitStatus::Pending);
}

#[test]
fn act_6_a_commit_no_flow_takes_is_published() {
    let mut story = Story::new(Rules::default());
    story.rules.aliases.insert("hubspot_eu".to_owned(), "crm".to_owned());
    let decision = story.say(commit("hubspot-eu", "update")).unwrap();
    assert_eq!(names(&decision), ["ActProcessed", "EventPublished"]);
    let expected = json!({"topic": "integration-crm", "payload": {
        "commitId": "act_1", "conversationId": "conv_1", "traceId": "trace-1", "entity": {"id": "order_1"},
        "action": "update", "system": "crm", "idempotencyKey": "k-1"}});
    assert_eq!(data(&decision.events[1]), expected);
    let nowhere = story.say(json!({"type": "commit", "entity": "order_1", "action": "create"})).unwrap();
    assert_eq!(nowhere.published().next().unwrap().topic, "integration-default");
    assert!(story.talk.commits.is_empty());
}

#[test]
fn a_commit_meets_its_rules_before_it_goes_anywhere() {
    let ensure = json!({"ensure": [{"on": "commit", "say": "where to?",
        "rule": "entity.delivery_method != 'delivery' || has(entity.delivery_address)"}]});
    let mut story = Story::new(rules(ensure));
    let missing = story.say(commit("order_management", "create")).unwrap();
    assert_eq!(codes(&missing), ["entity.rule"], "a field that is missing now breaks the rule");
    story.say(fact("order_1", "delivery_method", "delivery")).unwrap();
    let decision = story.say(commit("order_management", "create")).unwrap();
    assert_eq!(names(&decision), ["ActProcessed", "entity-validation-error", "BusinessActionFailed"]);
    assert_eq!(data(&decision.events[2])["error"]["message"], "where to?");
    assert!(decision.starts.is_empty());
    story.say(fact("order_1", "delivery_address", "Main St 1")).unwrap();
    assert_eq!(story.say(commit("order_management", "create")).unwrap().starts.len(), 1);
}

#[test]
fn act_8_a_run_tells_how_it_went() {
    let mut story = Story::new(rules(json!({})));
    story.say(commit("order_management", "create")).unwrap();
    let begun = story.run("run_1", "act_1", Change::InProgress);
    assert_eq!(told(&begun), [json!(["act_1-s1", "commit", "in_progress"])]);
    assert_eq!(names(&begun), ["ActProcessed"], "work that is going on is neither done nor failed");
    assert_eq!(story.run("run_1", "act_1", Change::InProgress).events, [], "once is enough");
    let done = story.run("run_1", "act_1", success("tx-9"));
    assert_eq!(names(&done), ["ActProcessed", "BusinessActionExecuted"]);
    let expected = json!({"commit_id": "act_1", "action": "create", "entity": "order_1", "transaction_id": "tx-9",
        "causation_id": "act_1-s2", "run": "run_1"});
    assert_eq!(data(&done.events[1]), expected);
    let act = &data(&done.events[0])["act"];
    assert_eq!(act["metadata"], json!({"commit_id": "act_1", "conversation_id": "conv_1", "run": "run_1"}));
    assert_eq!(
        (act["transaction_id"].as_str(), act["speaker"].as_str()),
        (Some("tx-9"), Some("create-order"))
    );
    assert!(story.talk.commits.is_empty());
    assert_eq!(story.talk.counts.commits, 1);
    assert_eq!(story.run("run_1", "act_1", success("tx-9")).events, []);
}

#[test]
fn act_8_a_failure_is_an_error_act_too_and_may_be_mended() {
    let mut story = Story::new(rules(json!({})));
    story.say(commit("order_management", "create")).unwrap();
    story.run("run_1", "act_1", Change::InProgress);
    let fail = story.run("run_1", "act_1", failed("payment.refused"));
    assert_eq!(names(&fail), ["ActProcessed", "ActProcessed", "BusinessActionFailed"]);
    assert_eq!(told(&fail), [json!(["act_1-s2", "commit", "failed"]), json!(["act_1-s3", "error", null])]);
    assert_eq!(data(&fail.events[2])["error"]["code"], "payment.refused");
    let error = &data(&fail.events[1])["act"];
    assert_eq!(
        (error["related_act_id"].as_str(), error["category"].as_str()),
        (Some("act_1"), Some("integration"))
    );
    assert_eq!(error["suggested_action"], "escalate");
    assert!(story.talk.commits.is_empty(), "a commit that is over is forgotten");
    assert_eq!(story.run("run_1", "act_1", failed("payment.refused")).events, [], "told before");
    let again = story.run("run_1", "act_1", Change::InProgress);
    let expected = [json!(["act_1-s4", "commit", "retrying"]), json!(["act_1-s5", "commit", "in_progress"])];
    assert_eq!(told(&again), expected);
    assert_eq!(names(&again), ["CommitReopened", "ActProcessed", "ActProcessed"]);
    assert_eq!(data(&again.events[2])["act"]["retry_count"], 1);
    let done = story.run("run_1", "act_1", success("tx"));
    assert_eq!(told(&done), [json!(["act_1-s6", "commit", "success"])]);
}

#[test]
fn act_9_one_flow_that_fails_does_not_stop_the_other() {
    let mut story = Story::new(rules(json!({})));
    story.rules.routes.push(route(Some("order_management"), None, "tell-warehouse"));
    let decision = story.say(commit("order_management", "create")).unwrap();
    assert_eq!(decision.starts.len(), 2);
    let first = story.run("run_1", "act_1", success("a"));
    assert_eq!(names(&first), ["BusinessActionExecuted"], "one of two is done");
    assert_eq!(story.run("run_1", "act_1", success("a")).events, []);
    assert_eq!(told(&story.run("run_2", "act_1", failed("E"))).len(), 2);
    story.run("run_2", "act_1", Change::InProgress);
    let last = story.run("run_2", "act_1", success("b"));
    assert_eq!(names(&last), ["ActProcessed", "BusinessActionExecuted"]);
    assert!(story.talk.commits.is_empty());
}

#[test]
fn an_outcome_is_told_after_the_conversation_has_ended() {
    let mut story = Story::new(rules(json!({})));
    story.say(commit("order_management", "create")).unwrap();
    let ended =
        react::end(&story.talk, ConversationStatus::Failed, Some(json!({"code": "E"})), at(9)).unwrap();
    story.fold(&ended);
    assert_eq!(names(&ended), ["ConversationFailed"]);
    assert_eq!(story.talk.error, Some(json!({"code": "E"})));
    assert_eq!(story.run("run_1", "act_1", success("tx")).events.len(), 2);
}

#[test]
fn a_paused_conversation_starts_nothing() {
    let mut story = Story::new(rules(json!({})));
    let paused = react::end(&story.talk, ConversationStatus::Paused, None, at(9)).unwrap();
    story.fold(&paused);
    assert_eq!(story.say(commit("order_management", "create")).unwrap_err().code, "conversation.paused");
    story.say(fact("order_1", "f", 1)).unwrap();
    let resumed = react::end(&story.talk, ConversationStatus::Active, None, at(9)).unwrap();
    story.fold(&resumed);
    assert_eq!(story.say(commit("order_management", "create")).unwrap().starts.len(), 1);
}

#[test]
fn an_act_that_claims_to_be_an_outcome_moves_no_commit() {
    let mut story = Story::new(rules(json!({})));
    story.say(commit("order_management", "create")).unwrap();
    let mut claim = commit("order_management", "create");
    claim["status"] = json!("success");
    claim["metadata"] = json!({"commit_id": "act_1", "run": "run_1"});
    let decision = story.say(claim).unwrap();
    assert!(
        matches!(&decision.events[1], Event::ActionExecuted(done) if done.commit_id == "act_2" && done.run.is_none())
    );
    assert_eq!(story.talk.commits["act_1"].status, CommitStatus::Pending);
}

fn rolled_back(undone: &[&str], left: &[&str]) -> Change {
    let rollback = json!({"undone": undone, "not_undone": left}).as_object().cloned();
    Change::Failed { error: failure("E"), retries: 0, rollback }
}

/// 0.1.0 remembered failed commits for ever, until the conversation was full of them.
#[test]
fn failed_commits_do_not_fill_a_conversation() {
    let mut story = Story::new(rules(json!({})));
    story.rules.limits.commits = 2;
    for number in 1..=5 {
        story.say(commit("order_management", "create")).unwrap();
        story.run("run_1", &format!("act_{number}"), failed("E"));
        assert!(story.talk.commits.is_empty(), "{number}");
    }
    story.say(commit("order_management", "create")).unwrap();
    story.say(commit("order_management", "create")).unwrap();
    let full = story.say(commit("order_management", "create")).unwrap_err();
    assert_eq!(full.code, "conversation.full", "two are worked on");
}

/// What could not be undone is undone by a person, long after the commit was forgotten.
#[test]
fn what_is_undone_at_last_is_told_once() {
    let mut story = Story::new(rules(json!({})));
    story.say(commit("order_management", "create")).unwrap();
    let parked = story.run("run_1", "act_1", rolled_back(&[], &["pay"]));
    assert_eq!(data(&parked.events[0])["act"]["rollback_info"], json!({"undone": [], "not_undone": ["pay"]}));
    let undone = story.run("run_1", "act_1", rolled_back(&["pay"], &[]));
    assert_eq!(names(&undone), ["CommitReopened", "ActProcessed", "BusinessActionFailed"]);
    assert_eq!(told(&undone), [json!(["act_1-s3", "commit", "failed"])]);
    assert_eq!(story.run("run_1", "act_1", rolled_back(&["pay"], &[])).events, []);
    assert!(story.talk.commits.is_empty());
}

/// A succeeded commit is undone the next day.
#[test]
fn what_was_done_may_be_undone_later() {
    let mut story = Story::new(rules(json!({})));
    story.say(commit("order_management", "create")).unwrap();
    story.run("run_1", "act_1", success("tx"));
    let undone = story.run("run_1", "act_1", rolled_back(&["pay"], &[]));
    assert_eq!(told(&undone), [json!(["act_1-s2", "commit", "failed"]), json!(["act_1-s3", "error", null])]);
    assert!(story.talk.commits.is_empty());
}

#[test]
fn what_nobody_knows_is_told_as_that() {
    let mut story = Story::new(rules(json!({})));
    story.say(commit("order_management", "create")).unwrap();
    story.run("run_1", "act_1", Change::InProgress);
    let unknown = || Change::Unknown { step: "pay".to_owned() };
    let told_once = story.run("run_1", "act_1", unknown());
    assert_eq!(names(&told_once), ["ActProcessed", "BusinessActionUnknown"]);
    let act = &data(&told_once.events[0])["act"];
    assert_eq!(
        (act["status"].as_str(), &act["metadata"]["cardan"]),
        (Some("in_progress"), &json!({"outcome": "unknown", "step": "pay"}))
    );
    assert_eq!(story.run("run_1", "act_1", unknown()).events, []);
    let known = story.run("run_1", "act_1", Change::InProgress);
    assert_eq!(data(&known.events[0])["act"]["metadata"].get("cardan"), None);
    assert_eq!(story.run("run_1", "act_1", Change::InProgress).events, []);
    assert_eq!(names(&story.run("run_1", "act_1", unknown())), ["ActProcessed", "BusinessActionUnknown"]);
    assert_eq!(
        names(&story.run("run_1", "act_1", success("tx"))),
        ["ActProcessed", "BusinessActionExecuted"]
    );
}
