//! Defects of the sources that must not come back.

use react::{Change, Conversation, Event, OutOfOrder};
use serde_json::json;

use crate::story::{Story, codes, commit, derive, fact, names, operate, rules};

/// State, derived events and work come from one decision; an event that is delivered twice counts once.
#[test]
fn b4_an_increment_counts_once() {
    let mut rules = rules(json!({}));
    rules.derive.push(derive(json!({"on": "fact", "topic": "t", "payload": "${entity.count}"})));
    let mut story = Story::new(rules);
    let decision = story.say(operate("order_1", "count", "increment", 2)).unwrap();
    assert_eq!(names(&decision), ["ActProcessed", "entity-state-changed", "EventPublished"]);
    let mut replayed = Conversation::new("conv_1");
    for round in 0..2 {
        for (number, event) in story.events.iter().enumerate() {
            replayed.replay(number as u64 + 1, event).unwrap();
        }
        assert_eq!(replayed, story.talk, "round {round}");
    }
    assert_eq!(story.field("order_1", "count"), Some(&json!(2)));
    let next = story.talk.version + 1;
    let gap = replayed.replay(next + 1, &story.events[0]);
    assert_eq!(gap, Err(OutOfOrder { found: next + 1, expected: next }));
}

/// The same commit names the same run; while its runs are at work it is not taken a second time.
#[test]
fn b4_a_commit_is_taken_once() {
    let mut story = Story::new(rules(json!({})));
    let act = crate::story::act(7, commit("order_management", "create"));
    let decision = story.decide(&act).unwrap();
    assert_eq!(decision.starts[0].commit_id, "act_7");
    assert_eq!(story.decide(&act).unwrap(), decision, "deciding changes nothing");
    story.fold(&decision);
    assert_eq!(story.decide(&act).unwrap_err().code, "act.exists");
}

/// The projection knows operations and entity objects.
#[test]
fn b7_operations_and_entity_objects_are_folded() {
    let mut story = Story::new(rules(json!({})));
    let object = json!({"id": "order_1", "type": "order", "metadata": {"vip": true}});
    story
        .say(json!({"type": "fact", "entity": object, "field": "items", "value": "a", "operation": "append"}))
        .unwrap();
    story.say(operate("order_1", "items", "append", "b")).unwrap();
    story.say(operate("order_1", "note", "set", "x")).unwrap();
    story.say(operate("order_1", "note", "delete", json!(null))).unwrap();
    assert_eq!(story.talk.entities.len(), 1);
    assert_eq!(story.talk.entities["order_1"].fields, *json!({"items": ["a", "b"]}).as_object().unwrap());
}

/// A commit that is pending, in progress, retrying or cancelled is not recorded as failed.
#[test]
fn b8_a_commit_that_is_still_pending_has_not_failed() {
    let mut story = Story::new(rules(json!({})));
    for status in [None, Some("pending"), Some("in_progress"), Some("retrying"), Some("cancelled")] {
        let mut said = commit("order_management", "create");
        if let Some(status) = status {
            said["status"] = json!(status);
        }
        let decision = story.say(said).unwrap();
        let business = |event: &&Event| matches!(event, Event::ActionFailed(_) | Event::ActionExecuted(_));
        assert_eq!(decision.events.iter().find(business), None, "{status:?}");
    }
    assert!(!names(&story.run("run_1", "act_1", Change::InProgress)).contains(&"BusinessActionFailed"));
}

/// A fact that names its entity by text is as good as one that gives an object, and meets the same rules.
#[test]
fn b32_a_string_entity_takes_its_type_from_what_was_said_before() {
    let ensure = json!({"ensure": [{"rule": "entity.total > 0", "say": "positive"}]});
    let mut story = Story::new(rules(ensure));
    story.say(fact(json!({"id": "41", "type": "order"}), "size", "large")).unwrap();
    let decision = story.say(fact("41", "total", -1)).unwrap();
    assert_eq!(codes(&decision), ["entity.rule"]);
    let decision = story.say(fact("41", "total", 5)).unwrap();
    assert_eq!(names(&decision), ["ActProcessed", "entity-state-changed"]);
    let decision = story
        .say(json!({"type": "commit", "entity": "41", "action": "create", "system": "order_management"}))
        .unwrap();
    assert_eq!(decision.starts[0].entity_type.as_deref(), Some("order"));
}
