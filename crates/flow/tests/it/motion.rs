//! What acts set in motion: all of a decision or none, and nothing before its batch is committed.

use std::time::Duration;

use conversation::{Code, Motion, Start};
use flow::RunId;
use serde_json::json;
use store::{Batch, RunStatus};

use crate::world::World;

fn start(flow: &str) -> Start {
    Start {
        flow: flow.to_owned(),
        tenant: "t".into(),
        conversation: "conv_1".into(),
        commit: "act_1".to_owned(),
        correlation: "c".into(),
        trace: None,
        idempotency_key: None,
        generation: 0,
        replaces: Vec::new(),
        input: json!({ "entity": {} }),
    }
}

async fn world() -> World {
    let keyed = r#"{ key: "${ entity.nothing.there }", do: [{ wait: 1h }] }"#;
    World::with(&[("main", "do: [{ wait: 1h }]"), ("other", keyed)]).await
}

#[tokio::test(start_paused = true)]
async fn runs_of_one_decision_begin_all_or_none() {
    let world = world().await;
    let (mut plan, mut rows) = (world.engine.plan(), Batch::default());
    let refused = plan.begin(&mut rows, vec![start("main"), start("other")]).await.unwrap_err();
    assert_eq!(refused.code(), Some(Code::ActRefused), "{refused}");
    assert!(rows.is_empty(), "{rows:#?}");
    plan.committed();
    world.passes(Duration::from_secs(1)).await;
    assert!(world.crash.events.lock().is_empty(), "nobody is woken for what was never begun");
}

#[tokio::test(start_paused = true)]
async fn a_run_goes_when_its_batch_is_committed() {
    let world = world().await;
    let (mut plan, mut rows) = (world.engine.plan(), Batch::default());
    let runs = plan.begin(&mut rows, vec![start("main")]).await.unwrap();
    plan.accept();
    assert_eq!(runs, [RunId::of_commit("t", "conv_1", "act_1", "main").to_string()]);
    assert!(world.store.run(&runs[0]).await.unwrap().is_none());
    world.store.commit(rows).await.unwrap();
    plan.committed();
    world.until(&runs[0].as_str().into(), |view| view.status == RunStatus::Waiting).await;
}
