//! How long it takes to decide what a fact and a commit change in a small conversation.

use std::hint::black_box;
use std::sync::Arc;

use act::{Participant, ParticipantType, parse_act};
use criterion::{Criterion, criterion_group, criterion_main};
use diag::Node;
use jiff::Timestamp;
use react::{Conversation, EntityRules, Route, Rules, Started, Utterance, begin, decide};
use serde_json::{Value, json};

fn said(number: usize, rest: &Value) -> Utterance {
    let mut act =
        json!({"id": format!("act_{number}"), "timestamp": "2025-03-04T09:15:00Z", "speaker": "ann"});
    act.as_object_mut().expect("an object").extend(rest.as_object().expect("an object").clone());
    let act = parse_act(act.to_string().as_bytes(), &act::Rules::strict()).expect("a sound act").value;
    Utterance {
        act: Arc::new(act),
        at: Timestamp::UNIX_EPOCH,
        correlation: "c".into(),
        standing: Default::default(),
    }
}

fn conversation(rules: &Rules) -> Conversation {
    let mut talk = Conversation::new("conv_1");
    let ann = Participant::new("ann", ParticipantType::Human);
    let begun = begin(&talk, Started::new("acme", Timestamp::UNIX_EPOCH), vec![ann], false).expect("new");
    begun.events.iter().for_each(|event| talk.apply(event));
    for number in 0..8 {
        let fact =
            json!({"type": "fact", "entity": "order_1", "field": format!("field_{number}"), "value": number});
        let decision = decide(rules, &talk, &said(number, &fact)).expect("taken");
        decision.events.iter().for_each(|event| talk.apply(event));
    }
    talk
}

fn decisions(c: &mut Criterion) {
    let order = Node::from_json(&json!({"ensure": [{"rule": "entity.field_1 >= 0", "say": "positive"}]}));
    let mut rules = Rules::default();
    rules.entities.insert("order".to_owned(), EntityRules::compile(&order).expect("sound rules"));
    let (system, action) = (Some("order_management".to_owned()), Some(act::Action::Create));
    rules.routes.push(Route { system, action, flow: "create-order".to_owned() });
    let talk = conversation(&rules);
    let fact = said(90, &json!({"type": "fact", "entity": "order_1", "field": "field_1", "value": 5}));
    c.bench_function("react/fact with one rule: decide", |b| {
        b.iter(|| decide(&rules, black_box(&talk), &fact))
    });
    let plain = said(91, &json!({"type": "fact", "entity": "x", "field": "field_1", "value": 5}));
    c.bench_function("react/fact without a rule: decide", |b| {
        b.iter(|| decide(&rules, black_box(&talk), &plain))
    });
    let commit =
        json!({"type": "commit", "entity": "order_1", "action": "create", "system": "order-management"});
    let commit = said(92, &commit);
    c.bench_function("react/commit: decide", |b| b.iter(|| decide(&rules, black_box(&talk), &commit)));
    let decision = decide(&rules, &talk, &fact).expect("taken");
    c.bench_function("react/fact: encode its events", |b| {
        b.iter(|| decision.events.iter().map(|event| event.encode().len()).sum::<usize>());
    });
}

criterion_group!(benches, decisions);
criterion_main!(benches);
