//! A sound act survives being written and read; an act with one fault is refused for that fault.

use act::{Act, DocumentKind, Rules, check, parse_act};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

type Members = Vec<(&'static str, BoxedStrategy<Value>)>;

fn text() -> BoxedStrategy<Value> {
    "\\PC{1,12}".prop_map(Value::from).boxed()
}

fn word(words: &'static [&'static str]) -> BoxedStrategy<Value> {
    select(words).prop_map(Value::from).boxed()
}

fn count() -> BoxedStrategy<Value> {
    prop_oneof![any::<u32>().prop_map(Value::from), (0u32..99).prop_map(|n| Value::from(f64::from(n)))]
        .boxed()
}

fn json_value() -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e9..1e9f64).prop_map(Value::from),
        text(),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z~/]{1,4}", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
    .boxed()
}

fn object() -> BoxedStrategy<Value> {
    prop::collection::btree_map("[k-p]{1,3}", json_value(), 0..3)
        .prop_map(|members| Value::Object(members.into_iter().collect()))
        .boxed()
}

fn texts() -> BoxedStrategy<Value> {
    prop::collection::vec(text(), 0..3).prop_map(Value::from).boxed()
}

fn id() -> BoxedStrategy<Value> {
    "act_[a-zA-Z0-9_-]{1,9}".prop_map(Value::from).boxed()
}

fn entity() -> BoxedStrategy<Value> {
    let object = assembled(
        vec![("id", text()), ("type", text())],
        vec![
            ("external_id", text()),
            ("version", text()),
            ("schema_url", Just(json!("https://example.com/a?b#c")).boxed()),
            ("metadata", object()),
        ],
    );
    prop_oneof![text(), object].boxed()
}

fn constraint() -> BoxedStrategy<Value> {
    let of = |type_: &'static str, value: BoxedStrategy<Value>| {
        value.prop_map(move |value| json!({ "type": type_, "value": value })).boxed()
    };
    prop_oneof![
        Just(json!({ "type": "required" })),
        of("optional", json_value()),
        of("min_length", count()),
        of("pattern", Just(json!("^[a-z]+$")).boxed()),
        of("format", word(&["email", "ipv6"])),
        of("range", Just(json!({ "min": 0.5, "inclusive": false })).boxed()),
        of("enum", prop::collection::vec(json_value(), 1..3).prop_map(Value::from).boxed()),
        of("custom", json_value()),
    ]
    .boxed()
}

/// An object with all of `required` and any of `optional`.
fn assembled(required: Members, optional: Members) -> BoxedStrategy<Value> {
    let must: Vec<_> = required
        .into_iter()
        .map(|(name, value)| value.prop_map(move |value| Some((name.to_owned(), value))).boxed())
        .collect();
    let may: Vec<_> = optional
        .into_iter()
        .map(|(name, value)| prop::option::of(value.prop_map(move |value| (name.to_owned(), value))).boxed())
        .collect();
    let members: Vec<_> = must.into_iter().chain(may).collect();
    members.prop_map(|members| Value::Object(members.into_iter().flatten().collect())).boxed()
}

fn own(kind: &str) -> (Members, Members) {
    match kind {
        "ask" => (
            vec![("field", text()), ("prompt", text())],
            vec![
                ("constraints", prop::collection::vec(constraint(), 0..3).prop_map(Value::from).boxed()),
                ("required", any::<bool>().prop_map(Value::from).boxed()),
                ("expected_type", word(&["string", "address"])),
                ("retry_count", count()),
            ],
        ),
        "fact" => (
            vec![("entity", entity()), ("field", text()), ("value", json_value())],
            vec![
                ("operation", word(&["set", "append", "increment", "decrement", "delete", "merge"])),
                ("previous_value", json_value()),
                ("validation_errors", texts()),
            ],
        ),
        "confirm" => (
            vec![("entity", entity()), ("summary", text())],
            vec![
                ("awaiting", any::<bool>().prop_map(Value::from).boxed()),
                ("confirmation_method", word(&["verbal", "timeout"])),
                ("timeout_ms", count()),
            ],
        ),
        "commit" => (
            vec![("entity", entity()), ("action", word(&["create", "resume"]))],
            vec![
                ("status", word(&["pending", "success"])),
                ("error", Just(json!({ "code": "E", "message": "m", "http": 503 })).boxed()),
                ("rollback_info", object()),
            ],
        ),
        _ => (
            vec![("code", text()), ("message", text()), ("recoverable", Just(json!(true)).boxed())],
            vec![("details", object()), ("related_act_id", id()), ("severity", word(&["info"]))],
        ),
    }
}

fn sound_act() -> BoxedStrategy<Value> {
    select(vec!["ask", "fact", "confirm", "commit", "error"])
        .prop_flat_map(|kind| {
            let (mut required, mut optional) = own(kind);
            required.extend([
                ("id", id()),
                ("timestamp", word(&["2025-03-04T09:15:00Z", "2024-02-29t23:59:59.5-11:30"])),
                ("speaker", text()),
                ("type", Just(json!(kind)).boxed()),
            ]);
            optional.extend([
                ("confidence", (0.0..=1.0f64).prop_map(Value::from).boxed()),
                ("source", word(&["human", "ai"])),
                ("metadata", object()),
            ]);
            assembled(required, optional)
        })
        .boxed()
}

/// Breaks one member in a way that is wrong for every act, and says where.
fn broken(act: Value, pick: usize) -> (Value, String) {
    let Value::Object(mut act) = act else { panic!("an act is an object") };
    let names: Vec<String> = act.keys().filter(|name| !is_free(name)).cloned().collect();
    let name = names[pick % names.len()].clone();
    let pointer = match pick % 4 {
        0 => {
            act.insert("no~such/member".to_owned(), json!(1));
            "/no~0such~1member".to_owned()
        }
        1 if is_required(&act, &name) => {
            act.remove(&name);
            format!("/{name}")
        }
        2 if act.get("speaker").is_some() => {
            act.insert("speaker".to_owned(), json!(""));
            "/speaker".to_owned()
        }
        _ => {
            act.insert(name.clone(), Value::Null);
            format!("/{name}")
        }
    };
    (Value::Object(act), pointer)
}

/// Members that may hold anything. The type is left alone: without it the others cannot be judged.
fn is_free(name: &str) -> bool {
    matches!(name, "value" | "previous_value" | "type")
}

fn is_required(act: &Map<String, Value>, name: &str) -> bool {
    let kind = act["type"].as_str().unwrap_or_default();
    let (own, _) = own(kind);
    ["id", "timestamp", "speaker"].contains(&name) || own.iter().any(|(member, _)| *member == name)
}

proptest! {
    #[test]
    fn a_sound_act_survives(value in sound_act()) {
        let bytes = value.to_string();
        let act = parse_act(bytes.as_bytes(), &Rules::strict()).expect("a sound act").value;
        prop_assert_eq!(act.to_value(), value);
        let text = serde_json::to_string(&act).expect("can be written");
        prop_assert_eq!(&parse_act(text.as_bytes(), &Rules::strict()).expect("read again").value, &act);
        prop_assert_eq!(serde_json::from_str::<Act>(&text).expect("read from the store"), act);
    }

    #[test]
    fn one_fault_is_one_error_at_its_place(value in sound_act(), pick in any::<usize>()) {
        let (value, pointer) = broken(value, pick);
        let issues = check(DocumentKind::Act, value, &Rules::strict()).expect_err("broken");
        let pointers: Vec<String> = issues.into_iter().map(|issue| issue.pointer).collect();
        prop_assert_eq!(pointers, vec![pointer]);
    }

    #[test]
    fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let _ = parse_act(&bytes, &Rules::compat());
    }
}

/// Any change to any vector: the reader and the published schemas give the same verdict on the shape.
#[test]
fn the_schemas_and_the_reader_agree_on_changed_vectors() {
    let seed = std::env::var("ACT_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_250_304);
    println!("replay with ACT_SEED={seed} cargo test -p act --test it changed_vectors");
    let mut dice = fastrand::Rng::with_seed(seed);
    for vector in crate::vectors::all() {
        let schema = crate::schemas::validator(&vector.kind);
        let kind = act::Word::parse(&vector.kind).expect("a known kind");
        for _ in 0..40 {
            let value = changed(&vector.value, &mut dice);
            let issues = check(kind, value.clone(), &Rules::strict()).err().unwrap_or_default();
            let sound = issues.iter().all(|issue| matches!(issue.code, "act.empty" | "act.duplicate"));
            assert_eq!(sound, schema.is_valid(&value), "{value}: {issues:?}");
        }
    }
}

/// Replaces, adds or removes one thing somewhere.
fn changed(value: &Value, dice: &mut fastrand::Rng) -> Value {
    const NEW: &[&str] = &[
        "null",
        "true",
        "0",
        "-1",
        "1.0",
        "1.5",
        "\"\"",
        "\"x\"",
        "[]",
        "{}",
        "[1]",
        "\"act_1\"",
        "\"ask\"",
        "\"fact\"",
        "\"en\"",
        "\"2025-03-04T09:15:00Z\"",
        "{\"id\":\"a\",\"type\":\"b\"}",
        "[\"a\"]",
        "1e300",
        "\"range\"",
        "\"a@b.co\"",
    ];
    let new = |dice: &mut fastrand::Rng| -> Value {
        serde_json::from_str(NEW[dice.usize(..NEW.len())]).expect("json")
    };
    let mut out = value.clone();
    match &mut out {
        Value::Object(map) if !map.is_empty() && dice.u8(..10) < 9 => {
            let name = map.keys().nth(dice.usize(..map.len())).expect("in range").clone();
            match dice.u8(..6) {
                0 => drop(map.remove(&name)),
                1 => drop(map.insert("extra".to_owned(), new(dice))),
                _ => {
                    let inner = changed(&map[&name], dice);
                    map.insert(name, inner);
                }
            }
        }
        Value::Array(items) if !items.is_empty() && dice.bool() => {
            let at = dice.usize(..items.len());
            items[at] = changed(&items[at], dice);
        }
        other => *other = new(dice),
    }
    out
}
