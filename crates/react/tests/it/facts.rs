//! ACT-4, ACT-5, ACT-7: facts become entity state.

use act::UnknownSpeaker;
use react::{Limits, Rules};
use serde_json::{Value, json};

use crate::story::{Story, act, codes, data, derive, fact, names, operate, rules};

#[test]
fn act_4_a_valid_fact_changes_its_field_and_says_so() {
    let mut story = Story::new(rules(json!({})));
    story.say(fact("order_1", "size", "small")).unwrap();
    let decision = story.say(fact("order_1", "size", "large")).unwrap();
    assert_eq!(names(&decision), ["ActProcessed", "entity-state-changed"]);
    let expected = json!({
        "entityId": "order_1", "conversationId": "conv_1", "field": "size", "previousValue": "small",
        "newValue": "large", "timestamp": "2025-03-04T09:16:40Z", "entityType": "order", "operation": "set",
        "actId": "act_2",
    });
    assert_eq!(data(&decision.events[1]), expected);
    assert_eq!(decision.changed_entities().collect::<Vec<_>>(), ["order_1"]);
    assert_eq!(story.talk.entities["order_1"].version, 2);
}

#[test]
fn act_4_an_invalid_fact_changes_nothing_and_says_why() {
    let ensure =
        json!({"ensure": [{"rule": "entity.total_amount > 0", "say": "the total must be positive"}]});
    let mut story = Story::new(rules(ensure));
    story.say(fact("order_1", "total_amount", 10)).unwrap();
    let before = story.talk.entities.clone();
    let decision = story.say(fact("order_1", "total_amount", -1)).unwrap();
    assert_eq!(names(&decision), ["ActProcessed", "entity-validation-error"]);
    let told = data(&decision.events[1]);
    assert_eq!(told["errors"], json!([{"code": "entity.rule", "message": "the total must be positive"}]));
    assert_eq!(told["fact"], json!({"entity": "order_1", "field": "total_amount", "value": -1}));
    assert_eq!(data(&decision.events[0])["result"], json!({"status": "invalid"}));
    assert_eq!(story.talk.entities, before);
}

#[test]
fn an_invalid_fact_teaches_neither_type_nor_external_name() {
    let ensure = json!({"ensure": [{"rule": "entity.f != entity.g", "say": "different"}]});
    let mut story = Story::new(rules(ensure));
    story.say(fact("x", "f", 1)).unwrap();
    story.say(fact("x", "g", 1)).unwrap();
    let before = story.talk.entities.clone();
    let mut typed = fact("x", "f", 1);
    typed["entity"] = json!({"id": "x", "type": "order", "external_id": "e"});
    assert_eq!(codes(&story.say(typed).unwrap()), ["entity.rule"]);
    assert_eq!(story.talk.entities, before, "no order yet: the rules of orders would be broken");
}

#[test]
fn rules_wait_for_their_fields_and_fail_closed() {
    let ensure = json!({"ensure": [
        {"rule": "entity.total >= entity.tax", "say": "the tax is part of the total"},
        {"rule": "entity.note.size() < 5", "say": "a short note"},
    ]});
    let mut story = Story::new(rules(ensure));
    story.say(fact("order_1", "tax", 5)).unwrap();
    assert_eq!(codes(&story.say(fact("order_1", "total", 4)).unwrap()), ["entity.rule"]);
    story.say(fact("order_1", "total", 6)).unwrap();
    assert_eq!(codes(&story.say(fact("order_1", "total", "six")).unwrap()).len(), 1, "cannot be compared");
    assert_eq!(codes(&story.say(fact("order_1", "note", json!(null))).unwrap()).len(), 1, "cannot be judged");
    assert_eq!(story.field("order_1", "total"), Some(&json!(6)));
}

#[test]
fn fields_have_types_and_constraints() {
    let fields = json!({"fields": {
        "email": {"type": "email", "constraints": [{"type": "max_length", "value": 12, "code": "LONG"}]},
        "items": {"type": "array"},
        "paid": {"constraints": [{"type": "required"}]},
    }});
    let mut story = Story::new(rules(fields));
    assert_eq!(codes(&story.say(fact("order_1", "email", 5)).unwrap()), ["field.type"]);
    assert_eq!(codes(&story.say(fact("order_1", "email", "ann@example.com")).unwrap()), ["LONG"]);
    assert_eq!(codes(&story.say(fact("order_1", "items", "one")).unwrap()), ["field.type"]);
    story.say(operate("order_1", "items", "append", "one")).unwrap();
    assert_eq!(story.field("order_1", "items"), Some(&json!(["one"])));
    story.say(fact("order_1", "paid", true)).unwrap();
    assert_eq!(codes(&story.say(operate("order_1", "paid", "delete", 0)).unwrap()), ["constraint.required"]);
}

#[test]
fn each_operation_works_on_what_is_there() {
    let mut story = Story::new(Rules::default());
    for (operation, value) in
        [("increment", json!(0.1)), ("increment", json!(0.2)), ("decrement", json!(0.3))]
    {
        story.say(operate("x", "sum", operation, value)).unwrap();
    }
    assert_eq!(story.field("x", "sum"), Some(&json!(0.0)));
    story.say(operate("x", "address", "merge", json!({"a": {"b": 1}}))).unwrap();
    story.say(operate("x", "address", "merge", json!({"a": {"c": 2}}))).unwrap();
    assert_eq!(story.field("x", "address"), Some(&json!({"a": {"b": 1, "c": 2}})));
    assert_eq!(codes(&story.say(operate("x", "address", "increment", 1)).unwrap()), ["operation.type"]);
    story.say(operate("x", "address", "delete", Value::Null)).unwrap();
    assert_eq!(story.field("x", "address"), None);
    story.say(fact("x", "note", Value::Null)).unwrap();
    assert_eq!(story.field("x", "note"), Some(&Value::Null), "a null that was set is there");
}

#[test]
fn an_open_ask_demands_something_of_the_answer() {
    let mut story = Story::new(Rules::default());
    let ask = json!({"type": "ask", "field": "email", "prompt": "?", "constraints": [
        {"type": "format", "value": "email", "message": "that is no address", "code": "EMAIL"}]});
    story.say(ask).unwrap();
    let decision = story.say(fact("x", "email", "ann")).unwrap();
    assert_eq!(codes(&decision), ["EMAIL"]);
    story.say(fact("x", "email", "ann@example.com")).unwrap();
    story.say(fact("x", "email", "answered once")).unwrap();
    assert_eq!(story.field("x", "email"), Some(&json!("answered once")), "the ask is answered");
}

#[test]
fn what_its_speaker_calls_invalid_is_not_stored() {
    let mut story = Story::new(Rules::default());
    let mut said = fact("x", "zip", "1");
    said["validation_status"] = json!("invalid");
    said["validation_errors"] = json!(["too short"]);
    assert_eq!(codes(&story.say(said).unwrap()), ["fact.reported_invalid"]);
    assert_eq!(codes(&story.say(fact("x", "id", "y")).unwrap()), ["entity.reserved_field"]);
    assert!(story.talk.entities.is_empty());
}

#[test]
fn act_5_every_kind_of_act_runs_the_derive_rules() {
    let mut rules = rules(json!({}));
    let payload = json!({"act": "${act.id}", "conversation": "${conversation.id}"});
    rules.derive.push(derive(json!({"topic": "seen.${act.type}", "payload": payload})));
    rules.custom.insert("visit".to_owned());
    let mut story = Story::new(rules);
    let acts = [
        (json!({"type": "ask", "field": "f", "prompt": "p"}), "seen.ask"),
        (fact("order_1", "f", 1), "seen.fact"),
        (json!({"type": "confirm", "entity": "order_1", "summary": "s"}), "seen.confirm"),
        (
            json!({"type": "commit", "entity": "order_1", "action": "create", "system": "order-management"}),
            "seen.commit",
        ),
        (json!({"type": "error", "code": "E", "message": "m", "recoverable": true}), "seen.error"),
        (json!({"type": "visit", "on": "friday"}), "seen.visit"),
    ];
    for (number, (act, topic)) in acts.into_iter().enumerate() {
        let decision = story.say(act).unwrap();
        let published: Vec<_> = decision.published().collect();
        assert_eq!(published.len(), 1);
        assert_eq!(published[0].topic, topic);
        assert_eq!(published[0].payload["act"], format!("act_{}", number + 1));
    }
    let unregistered = story.say(json!({"type": "other", "on": "friday"})).unwrap();
    assert_eq!(names(&unregistered), ["ActProcessed"], "stored, not routed");
}

#[test]
fn a_rule_sees_the_change_and_its_failure_stops_nothing() {
    let mut rules = rules(json!({}));
    let when = "act.field == 'total' && entity.total > 100";
    rules
        .derive
        .push(derive(json!({"on": "fact", "when": when, "topic": "big", "payload": "${entity.total}"})));
    rules.derive.push(derive(json!({"on": ["fact"], "topic": "all", "payload": "${entity.customer.name}"})));
    let mut story = Story::new(rules);
    let decision = story.say(fact("order_1", "total", 120)).unwrap();
    let expected = ["ActProcessed", "entity-state-changed", "EventPublished", "ActProcessingFailed"];
    assert_eq!(names(&decision), expected);
    assert_eq!(data(&decision.events[2]), json!({"topic": "big", "payload": 120}));
    assert_eq!(data(&decision.events[3])["error"]["code"], "EXPR101");
    assert_eq!(story.field("order_1", "total"), Some(&json!(120)));
}

#[test]
fn act_7_types_come_from_objects_names_and_what_was_said_before() {
    let mut story = Story::new(rules(json!({})));
    let type_of = |story: &Story, id: &str| story.talk.entities[id].type_.clone();
    story.say(fact("order_1", "f", 1)).unwrap();
    story.say(fact("7", "f", 1)).unwrap();
    story.say(fact("orders", "f", 1)).unwrap();
    assert_eq!(type_of(&story, "order_1").as_deref(), Some("order"));
    assert_eq!((type_of(&story, "7"), type_of(&story, "orders")), (None, None));
    let object = json!({"id": "7", "type": "customer", "external_id": "crm-77"});
    story.say(json!({"type": "confirm", "entity": object, "summary": "s"})).unwrap();
    assert_eq!(type_of(&story, "7").as_deref(), Some("customer"));
    assert_eq!(story.talk.entities["7"].external_id.as_deref(), Some("crm-77"));
    let other = story.say(fact(json!({"id": "7", "type": "order"}), "f", 2)).unwrap();
    assert_eq!(codes(&other), ["entity.type"]);
    assert_eq!(
        story.talk.entities["7"].document(),
        json!({"id": "7", "type": "customer", "external_id": "crm-77", "f": 1})
    );
}

#[test]
fn who_may_speak_and_when() {
    let mut story = Story::new(Rules::default());
    let stranger =
        json!({"type": "error", "code": "E", "message": "m", "recoverable": true, "speaker": "bob"});
    let warned = story.say(stranger.clone()).unwrap();
    assert_eq!(warned.warnings[0].code, "warn.unknown_speaker");
    story.rules.speakers = UnknownSpeaker::Reject;
    let refusal = story.say(stranger).unwrap_err();
    assert_eq!((refusal.code, refusal.pointer), ("act.unknown_speaker", "/speaker"));
    let early =
        story.say(json!({"type": "ask", "field": "f", "prompt": "p", "timestamp": "2020-01-01T00:00:00Z"}));
    assert_eq!(early.unwrap().warnings[0].code, "warn.clock");
    let ended =
        react::end(&story.talk, act::ConversationStatus::Completed, None, crate::story::at(9)).unwrap();
    story.fold(&ended);
    assert_eq!(names(&ended), ["ConversationCompleted"]);
    assert_eq!(story.say(fact("x", "f", 1)).unwrap_err().code, "conversation.closed");
    let unknown = react::Conversation::new("conv_2");
    let said = react::Utterance {
        act: act(1, fact("x", "f", 1)),
        at: crate::story::at(0),
        correlation: "t".into(),
        standing: react::Standing::default(),
    };
    assert_eq!(react::decide(&story.rules, &unknown, &said).unwrap_err().code, "conversation.unknown");
}

#[test]
fn a_conversation_has_a_size() {
    let limits = Limits { entities: 1, fields: 1, asks: 0, ..Limits::default() };
    let mut story = Story::new(Rules { limits, ..Rules::default() });
    story.say(fact("x", "f", 1)).unwrap();
    story.say(fact("x", "f", 2)).unwrap();
    assert_eq!(story.say(fact("x", "g", 2)).unwrap_err().code, "conversation.full");
    assert_eq!(story.say(fact("y", "f", 2)).unwrap_err().code, "conversation.full");
    let ask = json!({"type": "ask", "field": "f", "prompt": "p"});
    assert_eq!(story.say(ask).unwrap_err().code, "conversation.full");
}

/// R13: what an act adds to the log is bounded by what it says.
#[test]
fn what_is_added_is_told_and_not_what_was_there() {
    let mut story = Story::new(Rules::default());
    story.say(fact("x", "text", "a".repeat(10_000))).unwrap();
    story.say(fact("x", "list", Value::from(vec![1; 1000]))).unwrap();
    story.say(fact("x", "object", json!({"long": "b".repeat(10_000)}))).unwrap();
    let changes = [
        operate("x", "text", "append", "!"),
        operate("x", "list", "append", json!([2])),
        operate("x", "object", "merge", json!({"more": 1})),
        fact("x", "text", "short"),
        operate("x", "list", "delete", Value::Null),
    ];
    for change in changes {
        let decision = story.say(change.clone()).unwrap();
        let bytes: usize = decision.events.iter().map(|event| event.encode().len()).sum();
        assert!(bytes < 1000, "{bytes} bytes for {change}");
    }
    assert_eq!(story.field("x", "object").unwrap()["more"], 1);
    let again = story.events.iter().fold(react::Conversation::new("conv_1"), |mut talk, event| {
        talk.apply(&react::Event::decode(event.name(), &event.encode()).unwrap());
        talk
    });
    assert_eq!(again, story.talk);
}

/// Short values are told whole, so that a reader need not fold.
#[test]
fn short_values_are_told_whole() {
    let mut story = Story::new(Rules::default());
    story.say(operate("x", "notes", "append", "a")).unwrap();
    let decision = story.say(operate("x", "notes", "append", "b")).unwrap();
    let told = data(&decision.events[1]);
    let expected = (json!(["a"]), json!(["a", "b"]), json!("b"));
    assert_eq!(
        (&told["previousValue"], &told["newValue"], &told["change"]),
        (&expected.0, &expected.1, &expected.2)
    );
    let begun = data(&story.say(fact("x", "f", Value::Null)).unwrap().events[1]);
    assert_eq!((&begun["previousValue"], begun.get("newValue")), (&Value::Null, Some(&Value::Null)));
}

/// R16: events of before hold the whole value and no change.
#[test]
fn events_with_whole_values_still_fold() {
    let mut story = Story::new(Rules::default());
    let old = json!({
        "entityId": "x", "conversationId": "conv_1", "field": "notes", "previousValue": ["a"], "newValue": ["a", "b"],
        "timestamp": "2025-03-04T09:16:40Z", "operation": "append", "actId": "act_0",
    });
    let old = react::Event::decode("entity-state-changed", old.to_string().as_bytes()).unwrap();
    story.talk.apply(&old);
    story.say(operate("x", "notes", "append", "c")).unwrap();
    assert_eq!(story.field("x", "notes"), Some(&json!(["a", "b", "c"])));
}

#[test]
fn a_field_and_an_entity_have_a_largest_size() {
    let limits = Limits { field_bytes: 1000, entity_bytes: 2500, ..Limits::default() };
    let mut story = Story::new(Rules { limits, ..Rules::default() });
    let refused = |story: &mut Story, fact: Value| {
        let refusal = story.say(fact).unwrap_err();
        (refusal.code, refusal.pointer)
    };
    assert_eq!(refused(&mut story, fact("x", "a", "a".repeat(1000))), ("field.too_large", "/value"));
    for field in ["a", "b"] {
        story.say(fact("x", field, "a".repeat(990))).unwrap();
    }
    assert_eq!(
        refused(&mut story, operate("x", "a", "append", "a".repeat(10))),
        ("field.too_large", "/value")
    );
    assert_eq!(refused(&mut story, fact("x", "c", "a".repeat(900))), ("entity.too_large", "/value"));
    story.say(operate("x", "c", "merge", json!({"m": "a".repeat(450)}))).unwrap();
    story.say(operate("x", "c", "merge", json!({"m": "b".repeat(450)}))).unwrap();
    story.say(fact("x", "a", "smaller")).unwrap();
    story.say(fact("x", "d", "a".repeat(900))).unwrap();
}

/// Appending to a list costs what is appended: weights are kept, not taken again.
#[test]
fn weights_are_those_of_the_values() {
    let limits = Limits { field_bytes: 5000, ..Limits::default() };
    let mut story = Story::new(Rules { limits, ..Rules::default() });
    story.say(fact("x", "text", "")).unwrap();
    for _ in 0..4900 {
        story.say(operate("x", "text", "append", "y")).unwrap();
    }
    assert_eq!(
        story.say(operate("x", "text", "append", "y".repeat(100))).unwrap_err().code,
        "field.too_large"
    );
}
