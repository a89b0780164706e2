//! How long a typical fact takes from bytes to a checked act, and what `serde_json` alone takes of it.

use std::hint::black_box;

use act::{Operation, Rules, apply, parse_act};
use criterion::{Criterion, criterion_group, criterion_main};
use serde_json::{Value, json};

const FACT: &[u8] = br#"{"id":"act_0190a6e012347abc8def0123456789ab","timestamp":"2025-03-04T09:15:00.125Z",
"speaker":"cust_1","type":"fact","entity":{"id":"order_41","type":"order"},"field":"total_amount","value":41.5,
"operation":"set","confidence":0.93,"source":"speech_recognition",
"metadata":{"channel":"voice","language":"en-US","conversation_id":"conv_1","original_text":"forty one fifty"}}"#;

fn acts(c: &mut Criterion) {
    let rules = Rules::strict();
    c.bench_function("act/fact: parse and validate", |b| b.iter(|| parse_act(black_box(FACT), &rules)));
    c.bench_function("act/fact: serde_json to Value, the floor", |b| {
        b.iter(|| serde_json::from_slice::<Value>(black_box(FACT)));
    });
    let fact = parse_act(FACT, &rules).expect("a sound fact").value;
    c.bench_function("act/fact: write", |b| b.iter(|| serde_json::to_vec(black_box(&fact))));
    let (held, change) = (json!(0.1), json!(0.2));
    c.bench_function("act/increment", |b| {
        b.iter(|| apply(Some(black_box(&held)), Operation::Increment, black_box(&change)));
    });
}

criterion_group!(benches, acts);
criterion_main!(benches);
