//! What an operation's spec says of its calls: whom they are for, and what they cost.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use guard::{Algorithm, Deaf, Guarded, Limit, Mode, Per, Policy, RuntimeClock};
use port::{Adapter, Call, Cost, Ctx, Fault, Link, Operation, Rejection, Repeat, Reply, Spec};
use serde_json::{Value, json};

use crate::fixture::bare;

struct Yes(Spec);

impl Adapter for Yes {
    fn spec(&self) -> &Spec {
        &self.0
    }

    async fn call(&self, _ctx: &Ctx, _call: Call) -> Result<Reply, Fault> {
        Ok(Reply::default())
    }

    async fn probe(&self, _ctx: &Ctx) -> Result<(), Fault> {
        Ok(())
    }

    async fn close(&self) {}
}

/// A system with a limit of ten tokens per what, and none that come back soon.
fn limited(per: Per, algorithm: Algorithm, operation: Operation) -> Guarded {
    let limit = Limit {
        per,
        capacity: 10,
        refill_per_second: 0.001,
        weight: 1,
        mode: Mode::Reject,
        algorithm,
        shared: None,
    };
    let spec = Spec {
        system: "llm".into(),
        adapter: "stub",
        version: "1.0.0",
        operations: vec![operation],
        probe_every: None,
    };
    let policy = Policy { limit: Some(limit), deadline: Some(Duration::from_secs(1)), ..bare() };
    Guarded::new(Arc::new(Yes(spec)), policy, Arc::new(Deaf), Arc::new(RuntimeClock::start()))
}

async fn ask(guarded: &Guarded, input: Value) -> Result<(), Option<Rejection>> {
    let call = Call { operation: "ask".into(), input: input.into(), key: None };
    let answered = guarded.call(&Ctx::new("acme", "corr"), call).await;
    answered.map(|_| ()).map_err(|fault| fault.rejection)
}

fn asking(partition: Option<&str>, cost: Cost) -> Operation {
    Operation { partition: partition.map(Into::into), cost, ..Operation::new("ask", Repeat::Safe) }
}

#[tokio::test(start_paused = true)]
async fn a_call_takes_what_its_operation_says_it_costs() {
    for algorithm in [Algorithm::TokenBucket, Algorithm::SlidingWindow] {
        let guarded = limited(Per::System, algorithm, asking(None, Cost::At("/pages".into())));
        assert_eq!(ask(&guarded, json!({ "pages": 7 })).await, Ok(()));
        assert_eq!(ask(&guarded, json!({ "pages": [1, 2, 3, 4] })).await, Err(Some(Rejection::RateLimited)));
        assert_eq!(ask(&guarded, json!({ "pages": 3 })).await, Ok(()));
        assert_eq!(ask(&guarded, json!({})).await, Err(Some(Rejection::RateLimited)), "ten are spent");
        let whole = limited(Per::System, algorithm, asking(None, Cost::Fixed(NonZeroU32::new(99).unwrap())));
        assert_eq!(ask(&whole, json!({})).await, Ok(()), "more than all is all");
        assert_eq!(ask(&whole, json!({})).await, Err(Some(Rejection::RateLimited)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_model_is_what_the_spec_says_and_nothing_is_guessed() {
    let all = || Cost::Fixed(NonZeroU32::new(10).unwrap());
    let guarded = limited(Per::Model, Algorithm::TokenBucket, asking(Some("/to/deployment"), all()));
    let to = |name: &str| json!({ "model": "same", "to": { "deployment": name } });
    assert_eq!(ask(&guarded, to("small")).await, Ok(()));
    assert_eq!(ask(&guarded, to("large")).await, Ok(()), "another has a limit of its own");
    assert_eq!(ask(&guarded, to("small")).await, Err(Some(Rejection::RateLimited)));
    let unnamed = limited(Per::Model, Algorithm::TokenBucket, asking(None, all()));
    assert_eq!(ask(&unnamed, json!({ "model": "small" })).await, Ok(()));
    assert_eq!(ask(&unnamed, json!({ "model": "large" })).await, Err(Some(Rejection::RateLimited)));
}
