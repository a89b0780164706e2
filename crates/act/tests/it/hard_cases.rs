//! The corners of the specification that vectors alone do not reach.

use act::{DocumentKind, Issue, Rules, UnknownSpeaker, check, parse_act, validate_lines};
use serde_json::{Value, json};

fn ask() -> Value {
    json!({
        "id": "act_1", "timestamp": "2025-03-04T09:15:00Z", "speaker": "a", "type": "ask", "field": "f", "prompt": "p",
    })
}

fn with(mut act: Value, name: &str, value: Value) -> Value {
    act[name] = value;
    act
}

fn judged(kind: DocumentKind, value: &Value, rules: &Rules) -> Vec<(String, &'static str)> {
    let issues = check(kind, value.clone(), rules).err().unwrap_or_default();
    issues.into_iter().map(|issue| (issue.pointer, issue.code)).collect()
}

fn strict(value: &Value) -> Vec<(String, &'static str)> {
    judged(DocumentKind::Act, value, &Rules::strict())
}

fn at(pointer: &str, code: &'static str) -> Vec<(String, &'static str)> {
    vec![(pointer.to_owned(), code)]
}

#[test]
fn pointers_are_escaped() {
    assert_eq!(strict(&with(ask(), "a/b~c", json!(1))), at("/a~1b~0c", "act.unexpected"));
    assert_eq!(strict(&with(ask(), "", json!(1))), at("/", "act.unexpected"));
    assert_eq!(strict(&with(ask(), "é\"", json!(1))), at("/é\"", "act.unexpected"));
}

#[test]
fn integral_floats_are_integers() {
    for count in ["1.0", "2e0", "0.0", "-0.0", "1e2", "1e300", "18446744073709551615"] {
        let act = with(ask(), "retry_count", serde_json::from_str(count).unwrap());
        assert_eq!(strict(&act), [], "{count}");
    }
    for (count, code) in
        [("1.5", "act.type"), ("1e-3", "act.type"), ("-1.0", "act.bound"), ("true", "act.type")]
    {
        let act = with(ask(), "retry_count", serde_json::from_str(count).unwrap());
        assert_eq!(strict(&act), at("/retry_count", code), "{count}");
    }
}

#[test]
fn names_that_become_names_of_rows_are_bounded() {
    let long = |prefix: &str, most: usize| json!(format!("{prefix}{}", "x".repeat(most - prefix.len())));
    for (name, pointer, prefix, most) in
        [("id", "/id", "act_", 128), ("entity", "/entity", "", 256), ("system", "/system", "", 128)]
    {
        let commit = json!({
            "id": "act_1", "timestamp": "2025-03-04T09:15:00Z", "speaker": "a", "type": "commit", "action": "create",
            "entity": "order_1",
        });
        assert_eq!(strict(&with(commit.clone(), name, long(prefix, most))), []);
        assert_eq!(strict(&with(commit.clone(), name, long(prefix, most + 1))), at(pointer, "act.too_long"));
        let stored: act::Act = serde_json::from_value(with(commit, name, long(prefix, most + 1))).unwrap();
        assert_eq!(
            serde_json::to_value(stored).unwrap()[name],
            long(prefix, most + 1),
            "it can still be read"
        );
    }
    let object = json!({"id": long("", 257), "type": "order"});
    assert_eq!(judged(DocumentKind::Entity, &object, &Rules::strict()), at("/id", "act.too_long"));
    let talk = json!({"id": long("conv_", 129), "participants": [{"id": "a", "type": "human"}], "acts": []});
    assert_eq!(judged(DocumentKind::Conversation, &talk, &Rules::strict()), at("/id", "act.too_long"));
}

#[test]
fn patterns_that_take_too_much_are_refused_where_they_stand() {
    let pattern = |text: String| json!({"type": "pattern", "value": text});
    let asks = |patterns: Vec<Value>| with(ask(), "constraints", json!(patterns));
    let too_large = asks(vec![pattern("^a".into()), pattern("[ab]*a[ab]{4000}c".into())]);
    assert_eq!(strict(&too_large), at("/constraints/1/value", "act.pattern_size"));
    assert_eq!(
        strict(&asks(vec![pattern("a".repeat(5000))])),
        at("/constraints/0/value", "act.pattern_size")
    );
    let many = asks((0..50).map(|number| pattern(format!("[ab]*a[ab]{{{}}}c", 100 + number))).collect());
    assert_eq!(strict(&many), at("/constraints", "act.pattern_size"));
    assert_eq!(strict(&asks(vec![pattern("^.{1,200}$".into())])), []);
    assert!(serde_json::from_value::<act::Act>(too_large).is_ok(), "what was taken before can still be read");
}

#[test]
fn names_are_anchored_at_both_ends() {
    for id in ["act_1\n", " act_1", "act_1 ", "xact_1", "act_ü", "ACT_1"] {
        assert_eq!(strict(&with(ask(), "id", json!(id))), at("/id", "act.format"), "{id:?}");
    }
    for language in ["en\n", "en-US\n", "en-us", "eng", ""] {
        let act = with(ask(), "metadata", json!({ "language": language }));
        assert_eq!(strict(&act), at("/metadata/language", "act.format"), "{language:?}");
    }
}

#[test]
fn leap_days_are_days() {
    assert_eq!(strict(&with(ask(), "timestamp", json!("2024-02-29T00:00:00Z"))), []);
    for day in ["2023-02-29", "1900-02-29", "2024-04-31", "2024-00-10"] {
        let act = with(ask(), "timestamp", json!(format!("{day}T00:00:00Z")));
        assert_eq!(strict(&act), at("/timestamp", "act.format"), "{day}");
    }
}

#[test]
fn nested_pointers_reach_the_member() {
    let act = with(
        ask(),
        "constraints",
        json!([{"type": "required"}, {"type": "range", "value": {"max": "9", "x": 1}}]),
    );
    let expected = [
        ("/constraints/1/value/max".to_owned(), "act.type"),
        ("/constraints/1/value/x".to_owned(), "act.unexpected"),
    ];
    assert_eq!(strict(&act), expected);
    let talk = json!({"id": "conv_1", "participants": [{"id": "a", "type": "ai", "preferences": {"communication_channels": ["x", 1]}}],
        "acts": [with(ask(), "metadata", json!({"processing_time_ms": "1"}))]});
    let found = judged(DocumentKind::Conversation, &talk, &Rules::strict());
    let expected = [
        ("/participants/0/preferences/communication_channels/1".to_owned(), "act.type"),
        ("/acts/0/metadata/processing_time_ms".to_owned(), "act.type"),
    ];
    assert_eq!(found, expected);
}

#[test]
fn null_is_a_value_only_where_anything_is() {
    let fact = json!({"id": "act_1", "timestamp": "2025-03-04T09:15:00Z", "speaker": "a", "type": "fact",
        "entity": "e", "field": "f", "value": null, "previous_value": null, "metadata": {"anything": null}});
    assert_eq!(strict(&fact), []);
    for name in ["operation", "entity", "metadata", "confidence", "validation_errors", "field"] {
        assert_eq!(
            strict(&with(fact.clone(), name, Value::Null)),
            at(&format!("/{name}"), "act.type"),
            "{name}"
        );
    }
    assert_eq!(
        strict(&with(fact, "metadata", json!({"channel": null}))),
        at("/metadata/channel", "act.type")
    );
}

#[test]
fn everything_wrong_is_told_at_once_and_shape_comes_first() {
    let act = json!({"id": 1, "speaker": "", "type": "commit", "entity": {"id": ""}, "action": "go", "x": 1});
    let found: Vec<String> = strict(&act).into_iter().map(|(pointer, _)| pointer).collect();
    assert_eq!(found, ["/id", "/timestamp", "/entity/type", "/action", "/x"]);
    let act = json!({"id": "act_1", "timestamp": "2025-03-04T09:15:00Z", "speaker": "", "type": "commit",
        "entity": {"id": "", "type": ""}, "action": "create", "error": {"code": "", "message": "m"}});
    let found: Vec<String> = strict(&act).into_iter().map(|(pointer, _)| pointer).collect();
    assert_eq!(found, ["/speaker", "/entity/id", "/entity/type", "/error/code"]);
    assert_eq!(strict(&json!([])), at("", "act.type"));
}

fn visit() -> Value {
    json!({"id": "act_1", "timestamp": "2025-03-04T09:15:00Z", "speaker": "a", "type": "field.visit_2", "on": "friday"})
}

#[test]
fn custom_types_are_registered() {
    let mut rules = Rules::strict();
    for name in ["ask", "Visit", "1visit", "visit-2", "", "_visit", "visit 2", "visité"] {
        assert!(rules.register(name, |_| Vec::new()).is_err(), "{name:?}");
    }
    let judge = |members: &act::Map| match members.get("on") {
        Some(Value::String(_)) => Vec::new(),
        _ => vec![Issue { pointer: "/on".into(), code: "visit.on", message: "expected a day".into() }],
    };
    rules.register("field.visit_2", judge).unwrap();
    assert_eq!(strict(&visit()), at("/type", "act.unknown_type"));
    let read = parse_act(visit().to_string().as_bytes(), &rules).expect("registered").value;
    assert!(read.is_custom());
    assert_eq!(read.to_value(), visit());
    assert_eq!(judged(DocumentKind::Act, &with(visit(), "on", json!(5)), &rules), at("/on", "visit.on"));
    let both = with(with(visit(), "on", json!(5)), "id", json!("x"));
    assert_eq!(
        judged(DocumentKind::Act, &both, &rules),
        [at("/id", "act.format"), at("/on", "visit.on")].concat()
    );
    let talk = json!({"id": "conv_1", "participants": [{"id": "a", "type": "ai"}], "acts": [with(visit(), "on", json!(5))]});
    assert_eq!(judged(DocumentKind::Conversation, &talk, &rules), at("/acts/0/on", "visit.on"));
}

#[test]
fn compat_mode_mends_and_counts() {
    let act = json!({"type": "error", "error": {"id": "act_1", "timestamp": "2025-03-04T09:15:00Z", "speaker": "a",
        "code": "E", "message": "m", "recoverable": false, "context": {"n": 1}, "severity": null,
        "metadata": {"language": null, "campaign": null}, "shard": 7}, "ask": null});
    let read = parse_act(act.to_string().as_bytes(), &Rules::compat()).expect("mended");
    let expected = json!({"type": "error", "id": "act_1", "timestamp": "2025-03-04T09:15:00Z", "speaker": "a",
        "code": "E", "message": "m", "recoverable": false, "details": {"n": 1}, "metadata": {"campaign": null}, "shard": 7});
    assert_eq!(read.value.to_value(), expected);
    let mended = read.mended;
    assert_eq!((mended.nulls_dropped, mended.unwrapped, mended.renamed, mended.unknown_kept), (2, 1, 1, 1));
    assert!(parse_act(act.to_string().as_bytes(), &Rules::strict()).is_err());
}

#[test]
fn compat_mode_stores_what_it_does_not_know_and_refuses_what_is_wrong() {
    let compat = Rules::compat();
    assert_eq!(judged(DocumentKind::Act, &visit(), &compat), []);
    assert_eq!(
        judged(DocumentKind::Act, &with(visit(), "type", json!("Ask")), &compat),
        at("/type", "act.unknown_type")
    );
    assert_eq!(
        judged(DocumentKind::Act, &with(ask(), "field", Value::Null), &compat),
        at("/field", "act.type")
    );
    let entity = json!({"id": "a", "type": "b", "customer_id": 1});
    assert_eq!(judged(DocumentKind::Entity, &entity, &compat), at("/customer_id", "act.unexpected"));
    let untouched = parse_act(ask().to_string().as_bytes(), &compat).expect("sound");
    assert!(!untouched.mended.any());
}

#[test]
fn oddities_are_warnings() {
    let base = |id: &str, second: u32, rest: &Value| {
        let mut act =
            json!({"id": id, "timestamp": format!("2025-03-04T09:15:{second:02}Z"), "speaker": "a"});
        act.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        act
    };
    let talk = json!({"id": "conv_1", "participants": [{"id": "a", "type": "ai"}], "acts": [
        base("act_1", 9, &json!({"type": "ask", "field": "f", "prompt": "p", "retry_count": 4})),
        base("act_2", 1, &json!({"type": "confirm", "entity": "e", "summary": "s", "awaiting": true, "confirmed": true})),
        base("act_3", 9, &json!({"type": "commit", "entity": "e", "action": "create", "status": "failed", "retry_count": 2, "max_retries": 1})),
        base("act_4", 9, &json!({"type": "commit", "entity": "e", "action": "create", "status": "success", "error": {"code": "E", "message": "m"}})),
        base("act_5", 9, &json!({"type": "error", "code": "E", "message": "m", "recoverable": true, "related_act_id": "act_9"})),
        base("act_6", 9, &json!({"type": "error", "code": "E", "message": "m", "recoverable": true, "related_act_id": "act_1", "speaker": "stranger"})),
    ]});
    let warnings = |rules: &Rules| -> Vec<String> {
        let accepted = check(DocumentKind::Conversation, talk.clone(), rules).expect("odd, not wrong");
        accepted.warnings.into_iter().map(|issue| format!("{} {}", issue.pointer, issue.code)).collect()
    };
    let expected = [
        "/acts/0/retry_count warn.retries",
        "/acts/1/timestamp warn.clock",
        "/acts/1/awaiting warn.awaiting",
        "/acts/2/retry_count warn.retries",
        "/acts/2/error warn.no_error",
        "/acts/3/error warn.error",
        "/acts/4/related_act_id warn.related_act",
        "/acts/5/speaker warn.unknown_speaker",
    ];
    assert_eq!(warnings(&Rules::strict()), expected);
    assert_eq!(warnings(&Rules::strict().speakers(UnknownSpeaker::Allow)), expected[..7]);
    let reject = Rules::strict().speakers(UnknownSpeaker::Reject);
    assert_eq!(
        judged(DocumentKind::Conversation, &talk, &reject),
        at("/acts/5/speaker", "act.unknown_speaker")
    );
}

#[test]
fn the_vectors_file_can_be_validated_as_it_is() {
    let mut out = Vec::new();
    let all = validate_lines(crate::vectors::TEXT.as_bytes(), &mut out, &Rules::strict()).unwrap();
    assert!(!all);
    let verdicts: Vec<Value> =
        String::from_utf8(out).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let vectors = crate::vectors::all();
    assert_eq!(verdicts.len(), vectors.len());
    for (verdict, vector) in verdicts.iter().zip(vectors) {
        assert_eq!(verdict["valid"], vector.valid, "{}", vector.name);
        let first = verdict["errors"].get(0).map(|issue| issue["pointer"].as_str().unwrap().to_owned());
        assert_eq!(first, vector.error_at, "{}", vector.name);
    }
}
