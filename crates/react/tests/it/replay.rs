//! What is decided and what is replayed cannot differ.

use proptest::prelude::*;
use react::{Change, Conversation, Event, Rules, Wait, Want, close_waits, open_waits};
use serde_json::{Value, json};

use crate::story::{Story, commit, derive, failure, route, rules};

#[derive(Clone, Debug)]
enum Step {
    Say(Value),
    Run(u8, u32, Change),
    Wait(u8, String),
    Close(u8),
}

fn entity() -> impl Strategy<Value = Value> {
    prop_oneof![
        3 => prop::sample::select(vec![json!("order_1"), json!("x"), json!("order-2")]),
        1 => Just(json!({"id": "x", "type": "order", "external_id": "e"})),
        1 => Just(json!({"id": "order_1", "type": "customer"})),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<i32>().prop_map(Value::from),
        any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(Value::from),
        "[a-z]{0,3}".prop_map(Value::from),
        Just(Value::Null),
        Just(json!([1])),
        Just(json!({"a": {"b": 1}})),
    ]
}

fn fact() -> impl Strategy<Value = Value> {
    let operation = prop::sample::select(vec!["set", "append", "increment", "decrement", "delete", "merge"]);
    (entity(), "[fgh]", operation, value(), prop::option::of(0.0..=1.0f64)).prop_map(
        |(entity, field, operation, value, confidence)| {
            let mut fact = json!({"type": "fact", "entity": entity, "field": field, "operation": operation, "value": value});
            if let Some(confidence) = confidence {
                fact["confidence"] = json!(confidence);
            }
            fact
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    let change = prop_oneof![
        Just(Change::InProgress),
        Just(Change::Success { transaction_id: None }),
        Just(Change::Unknown { step: "pay".into() }),
        Just(Change::Failed { error: failure("E"), retries: 1, rollback: None }),
        Just(Change::Failed {
            error: failure("E"),
            retries: 1,
            rollback: json!({"undone": ["pay"]}).as_object().cloned()
        }),
    ];
    let ask = json!({"type": "ask", "field": "f", "prompt": "p", "constraints": [{"type": "max_length", "value": 2}]});
    prop_oneof![
        8 => fact().prop_map(Step::Say),
        1 => Just(Step::Say(ask)),
        2 => (entity(), any::<Option<bool>>()).prop_map(|(entity, confirmed)| {
            let mut said = json!({"type": "confirm", "entity": entity, "summary": "s"});
            if let Some(confirmed) = confirmed {
                said["confirmed"] = json!(confirmed);
            }
            Step::Say(said)
        }),
        2 => prop::sample::select(vec!["create", "update"]).prop_map(|action| Step::Say(commit("order-management", action))),
        1 => Just(Step::Say(json!({"type": "error", "code": "E", "message": "m", "recoverable": true}))),
        3 => (0..3u8, 1..20u32, change).prop_map(|(run, commit, change)| Step::Run(run, commit, change)),
        2 => (0..3u8, "[fgh]").prop_map(|(run, field)| Step::Wait(run, field)),
        1 => (0..3u8).prop_map(Step::Close),
    ]
}

fn house() -> Rules {
    let mut rules = rules(json!({
        "ensure": [{"rule": "entity.f != entity.g", "say": "different"}],
        "fields": {"h": {"constraints": [{"type": "max_length", "value": 3}]}},
    }));
    rules.routes.push(route(None, Some("create"), "second"));
    rules
        .derive
        .push(derive(json!({"on": "fact", "when": "has(entity.g)", "topic": "g", "payload": "${entity}"})));
    rules
}

fn take(story: &mut Story, step: Step) {
    let decision = match step {
        Step::Say(act) => return drop(story.say(act)),
        Step::Run(run, commit, change) => {
            story.run(&format!("run_{run}"), &format!("act_{commit}"), change);
            return;
        }
        Step::Wait(run, field) => {
            let want = Want::Fact { entity: None, field };
            let wait = Wait { run: format!("run_{run}"), step: "ask".into(), want, question: None };
            open_waits(&story.rules, &story.talk, vec![wait]).expect("room")
        }
        Step::Close(run) => close_waits(&story.talk, &format!("run_{run}"), None, react::Closing::Withdrawn),
    };
    story.fold(&decision);
}

proptest! {
    #[test]
    fn state_after_deciding_is_state_by_replaying(steps in prop::collection::vec(step(), 0..40)) {
        let mut story = Story::new(house());
        for step in steps {
            take(&mut story, step);
        }
        let mut replayed = Conversation::new("conv_1");
        for (number, event) in story.events.iter().enumerate() {
            let stored = Event::decode(event.name(), &event.encode()).expect("a stored event");
            prop_assert_eq!(&stored, event);
            replayed.replay(number as u64 + 1, &stored).expect("in order");
        }
        prop_assert_eq!(&replayed, &story.talk);
        let snapshot = serde_json::to_vec(&story.talk).expect("can be kept");
        prop_assert_eq!(&serde_json::from_slice::<Conversation>(&snapshot).expect("can be read"), &story.talk);
    }

    #[test]
    fn a_changed_field_never_breaks_its_rules(steps in prop::collection::vec(fact(), 0..30)) {
        let mut story = Story::new(house());
        for fact in steps {
            let _ = story.say(fact);
            for entity in story.talk.entities.values().filter(|entity| entity.type_.as_deref() == Some("order")) {
                let (f, g) = (entity.fields.get("f"), entity.fields.get("g"));
                prop_assert!(f.is_none() || f != g, "{:?}", entity);
            }
        }
    }
}
