//! Runs that go on before anybody can hear them.

use std::sync::Arc;

use gate::{Auth, Conversations, Deciding, Limits, Nobody};
use port::{SystemClock, SystemEntropy, Systems};
use serde_json::json;
use store::{Batch, Store};

use crate::fixture::{House, deps, fact};

const ACTS: &str = "/v1/conversations/conv_1/acts";

#[tokio::test]
async fn what_a_run_asks_before_the_engine_is_bound_is_asked_when_it_is() {
    let store = Store::temporary().unwrap();
    let first = deps(store.clone(), Auth::Loopback, Limits::default()).await;
    let house = House { router: gate::router(first), store: store.clone(), token: None };
    house.post(ACTS, &fact("act_1", "colour", json!("red"))).await;
    let conversations = Arc::new(Conversations::new(
        store.clone(),
        Deciding { acts: act::Rules::strict(), rules: react::Rules::default() },
        &Limits::default(),
        Arc::new(SystemClock),
        Arc::new(Nobody),
    ));
    let node = diag::Node::from_json(&json!({
        "do": [{ "size": { "ask": { "field": "size", "prompt": "Which size?", "entity": "order_1" } } }]
    }));
    let (compiled, found) = flow::compile("asks", &node, &flow::Known::default());
    let engine = flow::Engine::open(flow::Deps {
        store: store.clone(),
        systems: Systems::default(),
        voice: conversations.clone(),
        definitions: vec![compiled.unwrap_or_else(|| panic!("{found:?}"))],
        known: flow::Known::default(),
        clock: Arc::new(SystemClock),
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
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    conversations.bind(engine.clone());
    while engine.view(run.as_str()).await.unwrap().status != store::RunStatus::Waiting {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let said = house.events("conversation-conv_1").await;
    assert!(said.iter().any(|(_, data)| data["act"]["type"] == "ask"), "{said:#?}");
}
