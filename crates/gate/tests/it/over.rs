//! Runs that speak when nobody listens any more.

use std::sync::Arc;
use std::time::Duration;

use conversation::{Conversations, Deciding, Noop};
use gate::{Auth, Limits};
use port::{SystemClock, SystemEntropy, Systems};
use serde_json::json;
use store::{Batch, Store};

use crate::fixture::{House, deps, fact};

/// A house with a conversation.
async fn house() -> House {
    let store = Store::temporary().unwrap();
    let deps = deps(store.clone(), Auth::Loopback, Limits::default()).await;
    let house = House { router: gate::router(deps), store, token: None };
    house.post("/v1/conversations/conv_1/acts", &fact("act_1", "colour", json!("red"))).await;
    house
}

/// A run that asks in that conversation.
async fn asking(house: &House) -> (flow::Engine, flow::RunId) {
    let store = house.store.clone();
    let deciding = Deciding { acts: act::Rules::strict(), rules: react::Rules::default() };
    let (clock, limits) = (Arc::new(SystemClock), Limits::default());
    let conversations = Arc::new(Conversations::new(
        store.clone(),
        deciding,
        limits.conversations,
        clock.clone(),
        Arc::new(Noop),
    ));
    let node = diag::Node::from_json(&json!({
        "do": [{ "size": { "ask": { "field": "size", "prompt": "Which size?", "entity": "order_1" } } }]
    }));
    let (compiled, found) = flow::compile("asks", &node, &flow::Known::default());
    let engine = flow::Engine::open(flow::Deps {
        store: store.clone(),
        systems: Systems::default(),
        conversations,
        definitions: vec![compiled.unwrap_or_else(|| panic!("{found:?}"))],
        known: flow::Known::default(),
        clock,
        entropy: Arc::new(SystemEntropy),
        limits: flow::Limits::default(),
        listener: Arc::new(flow::Silence),
    });
    let engine = engine.await.unwrap();
    let mut start = flow::Start::default();
    (start.run, start.flow, start.tenant) = ("run_1".into(), "asks".into(), "default".into());
    start.conversation = Some("conv_1".into());
    let mut batch = Batch::default();
    let run = engine.begin(&mut batch, start).unwrap();
    store.commit(batch).await.unwrap();
    engine.committed(std::slice::from_ref(&run));
    (engine, run)
}

#[tokio::test]
async fn a_run_that_asks_where_nobody_listens_any_more_fails() {
    let house = house().await;
    house.post("/v1/conversations/conv_1/end", &json!({})).await;
    let (engine, run) = asking(&house).await;
    let view = engine.wait(run.as_str(), Duration::from_secs(30)).await.unwrap();
    assert_eq!(view.error.unwrap().code, "flow.conversation_over");
}
