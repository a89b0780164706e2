//! Inputs and answers that are not of the shape that an operation promises.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use guard::batch::{Batched, Collect};

use guard::{Batch, Cache, Guarded, Policy, RuntimeClock};
use port::{Adapter, Call, Ctx, Fault, IdempotencyKey, Kind, Landed, Link, Operation, Repeat, Reply, Spec};
use schema::Schema;
use serde_json::{Value, json};

use crate::fixture::{Ear, bare, seconds};

/// Answers `{ "id": … }` with what it was given as `id`; a batch with each item.
struct Echo {
    spec: Spec,
    calls: AtomicU32,
}

impl Adapter for Echo {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    async fn call(&self, _ctx: &Ctx, call: Call) -> Result<Reply, Fault> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let output = match call.input.get("items") {
            Some(items) => items.clone(),
            None => json!({ "id": call.input["id"] }),
        };
        Ok(Reply { output, status: Some(port::Status::http(201)), ..Reply::default() })
    }

    async fn probe(&self, _ctx: &Ctx) -> Result<(), Fault> {
        Ok(())
    }

    async fn close(&self) {}
}

/// Every operation takes a `sku` and answers with the text `id`, but the one that takes many.
fn echo() -> Arc<Echo> {
    let input =
        json!({ "type": "object", "properties": { "sku": { "type": "string" } }, "required": ["sku"] });
    let output = json!({ "type": "object", "properties": { "id": { "type": "string" } } });
    let strict = |name: &str, repeat| Operation {
        input: Schema::compile(&input).unwrap(),
        output: Schema::compile(&output).unwrap(),
        ..Operation::new(name, repeat)
    };
    let operations = vec![
        Operation::new("many", Repeat::Safe),
        strict("one", Repeat::Safe),
        strict("post", Repeat::Never),
        strict("put", Repeat::Keyed),
    ];
    let spec =
        Spec { system: "shop".into(), adapter: "scripted", version: "1.0.0", operations, probe_every: None };
    Arc::new(Echo { spec, calls: AtomicU32::new(0) })
}

fn guarded(echo: &Arc<Echo>, policy: Policy) -> (Arc<Guarded>, Arc<Ear>) {
    let (ear, clock) = (Arc::new(Ear::default()), Arc::new(RuntimeClock::start()));
    let listener: Arc<dyn guard::Listener> = ear.clone();
    (Arc::new(Guarded::new(echo.clone(), policy, listener, clock)), ear)
}

async fn ask(link: &dyn Link, operation: &str, input: Value) -> Result<Reply, Fault> {
    let key = IdempotencyKey::new("k1");
    let ctx = Ctx::new("acme", "test").within(seconds(60));
    link.call(&ctx, Call { operation: operation.into(), input: input.into(), key }).await
}

#[tokio::test(start_paused = true)]
async fn an_input_that_does_not_fit_reaches_no_stage_of_the_guard() {
    let echo = echo();
    let (guarded, ear) = guarded(&echo, bare());
    for operation in ["one", "post", "put"] {
        let fault = ask(&*guarded, operation, json!({ "sku": 7 })).await.unwrap_err();
        assert_eq!((fault.kind, fault.landed, fault.attempts), (Kind::Invalid, Landed::No, 0), "{fault}");
        assert!(fault.message.contains("/sku"), "{fault}");
    }
    assert_eq!((echo.calls.load(Ordering::Relaxed), ear.heard()), (0, Vec::new()));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_does_not_fit_is_lost_and_not_asked_for_again() {
    let echo = echo();
    let (guarded, _ear) = guarded(&echo, bare());
    for (calls, operation) in ["one", "post", "put"].into_iter().enumerate() {
        let fault = ask(&*guarded, operation, json!({ "sku": "a", "id": 7 })).await.unwrap_err();
        assert_eq!((fault.kind, fault.landed, fault.breach), (Kind::Protocol, Landed::Yes, true), "{fault}");
        assert_eq!((fault.status, fault.attempts), (Some(201), 1));
        assert!(fault.message.contains("/id"), "{fault}");
        assert_eq!(echo.calls.load(Ordering::Relaxed) as usize, calls + 1);
    }
    let reply = ask(&*guarded, "put", json!({ "sku": "a", "id": "7" })).await.unwrap();
    assert_eq!(reply.output, json!({ "id": "7" }));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_does_not_fit_is_not_kept() {
    let echo = echo();
    let cache = Cache { ttl: seconds(10), stale: seconds(60), entries: NonZeroU32::new(9).unwrap() };
    let (guarded, _ear) = guarded(&echo, Policy { cache: Some(cache), ..bare() });
    for calls in 1..=2 {
        ask(&*guarded, "one", json!({ "sku": "a", "id": 7 })).await.unwrap_err();
        assert_eq!(echo.calls.load(Ordering::Relaxed), calls);
    }
}

/// The operation that takes many says nothing of them; the one that is called does.
#[tokio::test(start_paused = true)]
async fn items_of_a_batch_are_looked_at_one_by_one() {
    let echo = echo();
    let numbers = Batch { size: NonZeroU32::new(2).unwrap(), ..Batch::default() };
    let collect = Collect { into: "many".into(), items: "items".into(), results: None, keys: None, numbers };
    let (guarded, _ear) = guarded(&echo, bare());
    let batched = Batched::new(guarded, [("one".into(), collect)]);
    let fault = ask(&batched, "one", json!({})).await.unwrap_err();
    assert_eq!((fault.kind, fault.landed), (Kind::Invalid, Landed::No));
    let (good, bad) = tokio::join!(
        ask(&batched, "one", json!({ "sku": "a", "id": "7" })),
        ask(&batched, "one", json!({ "sku": "a", "id": 7 })),
    );
    assert_eq!(good.unwrap().output["id"], "7");
    assert!(bad.unwrap_err().breach);
    assert_eq!(echo.calls.load(Ordering::Relaxed), 1);
}
