//! What a condition, a mapping and a bomb cost. `cargo bench -p bench --bench expr`
//!
//! Aims: a condition of three clauses on a document of 1 KB in 2 µs, a bomb of 10^9 steps stopped in 10 ms.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use diag::Span;
use expr::{Mapping, Names, Program, Scope, Ty};
use serde_json::{Value, json};

const CONDITION: &str =
    "entity.status == 'open' && entity.total > 100 && entity.items.exists(i, i.sku == 'sku-3')";
const BOMB: &str = "entity.list.map(a, entity.list.map(b, entity.list.map(c, a * b + c)))";

/// An order of about 1 KB.
fn order() -> Value {
    let item = |n: usize| json!({ "sku": format!("sku-{n}"), "price": 10.25, "quantity": n, "name": "a thing to sell" });
    json!({
        "id": "order-0001", "status": "open", "total": 153.75, "currency": "EUR", "created": "2026-11-20T10:00:00Z",
        "customer": { "id": "c-77", "name": "Ann Example", "email": "ann@example.com", "vip": true },
        "address": { "street": "1 Long Street", "city": "Springfield", "zip": "12345", "country": "US" },
        "items": (0..10).map(item).collect::<Vec<_>>(),
        "tags": ["new", "web"],
    })
}

fn compile(source: &str) -> Program {
    let names = Names::new().root("entity", Ty::Any);
    Program::compile(source, &Span::default(), &names).expect("the benchmark's expression compiles")
}

fn evaluation(c: &mut Criterion) {
    let order = order();
    println!("the document has {} bytes", order.to_string().len());
    let scope = Scope::new().bind("entity", &order);
    let condition = compile(CONDITION);
    c.bench_function("condition of 3 clauses", |b| b.iter(|| black_box(&condition).test(black_box(&scope))));
    let money = compile("sum(entity.items.map(i, i.price * i.quantity)) <= entity.total * 10");
    c.bench_function("money over 10 items", |b| b.iter(|| black_box(&money).test(black_box(&scope))));
    let names = Names::new().root("entity", Ty::Any);
    let tree = json!({
        "order": "${ entity.id }", "total": "${ entity.total * 1.19 }", "note": "for ${ entity.customer.name }",
        "lines": "${ entity.items.filter(i, i.quantity > 2).map(i, i.sku) }", "fixed": { "a": [1, 2, 3] },
    });
    let mapping = Mapping::compile(&diag::Node::from_json(&tree), &names).expect("the mapping compiles");
    c.bench_function("mapping of 4 values", |b| b.iter(|| black_box(&mapping).eval(black_box(&scope))));
}

fn compilation(c: &mut Criterion) {
    c.bench_function("compile the condition", |b| b.iter(|| compile(black_box(CONDITION))));
}

fn bombs(c: &mut Criterion) {
    let document = json!({ "list": (0..1000).collect::<Vec<i32>>(), "text": "x".repeat(500_000) });
    let scope = Scope::new().bind("entity", &document);
    let bomb = compile(BOMB);
    assert_eq!(bomb.eval(&scope).expect_err("the bomb is stopped").code, "EXPR107");
    c.bench_function("bomb of 10^9 steps", |b| b.iter(|| black_box(&bomb).eval(black_box(&scope))));
    let texts = compile("entity.list.map(i, entity.list.map(j, entity.text + entity.text))");
    c.bench_function("bomb of texts", |b| b.iter(|| black_box(&texts).eval(black_box(&scope))));
    let maps =
        compile("entity.list.map(a, entity.list.map(b, entity.list.map(c, {'a': [a, b], 'c': string(c)})))");
    c.bench_function("bomb of maps", |b| b.iter(|| black_box(&maps).eval(black_box(&scope))));
}

criterion_group!(benches, evaluation, compilation, bombs);
criterion_main!(benches);
