//! Nothing stands still unseen: what breaks down is picked up again, or is shown to be stuck.

use flow::Live;
use store::{RunFilter, RunStatus};

use crate::world::{World, eventually, order};

/// Nobody knows whether it landed, so it is undone; nothing is sent to such an adapter again.
#[tokio::test(start_paused = true)]
async fn a_call_that_panics_has_an_unknown_outcome() {
    let world = World::of(
        "{ on_exhausted: compensate, do: [{ pay: { call: payments.charge, \
         compensate: { call: payments.refund, with: { id: 1 } } } }] }",
    )
    .await;
    world.ledger.panics_once("payments.charge");
    let view = world.runs(order()).await;
    assert_eq!(view.status, RunStatus::Compensated);
    assert_eq!(view.error.unwrap().code, "call.internal");
    assert_eq!(world.ledger.effects(), ["payments.charge", "payments.refund"]);
}

#[tokio::test(start_paused = true)]
async fn a_message_whose_delivery_panics_is_a_dead_letter() {
    let world = World::of("do: [{ mail: { tell: email.send } }]").await;
    world.ledger.panics_once("email.send");
    assert_eq!(world.runs(order()).await.status, RunStatus::Succeeded);
    let letter = world.dead().await;
    assert_eq!((letter.code.as_str(), world.ledger.count("email.send")), ("call.internal", 1));
}

#[tokio::test(start_paused = true)]
async fn a_run_that_panics_is_read_back_by_itself() {
    let world = World::of("do: [{ a: { call: orders.create } }, { b: { call: payments.charge } }]").await;
    world.crash.after(3);
    let view = world.runs(order()).await;
    assert_eq!(view.status, RunStatus::Succeeded);
    assert_eq!(world.ledger.effects(), ["orders.create", "payments.charge"]);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_cannot_be_read_is_stuck() {
    let world = World::of("do: [{ call: payments.charge }]").await;
    let (run, mut batch) = world.begin("act_1", order());
    let unreadable = batch.appends[0].events[0].clone();
    batch.appends[0].events.push(store::NewEvent { data: b"{}".to_vec(), ..unreadable });
    world.store.commit(batch).await.unwrap();
    world.engine.committed(&[flow::RunId::from(run.as_str())]);
    let stuck = async || {
        let live = Live { stuck: true, system: None };
        let page = world.engine.live(live, &RunFilter::default(), 0).await.unwrap();
        page.runs.into_iter().find(|row| row.id == run.as_str())
    };
    eventually("the run is stuck", stuck).await;
}

#[tokio::test(start_paused = true)]
async fn timers_that_nobody_clears_hold_up_no_others() {
    let world = World::of("{ do: [{ nap: { wait: 10ms } }] }").await;
    let due = jiff::Timestamp::from_second(1_000_000_000).unwrap();
    let lost =
        |n| store::Timer { id: format!("lost{n}"), run: format!("run_{n}"), step: "x#wait".into(), due };
    let timers = (0..2500).map(|n| store::TimerOp::Set(lost(n))).collect();
    world.store.commit(store::Batch { timers, ..store::Batch::default() }).await.unwrap();
    assert_eq!(world.runs(order()).await.status, RunStatus::Succeeded);
}

/// A store takes 16 MiB at once.
#[tokio::test(start_paused = true)]
async fn a_turn_that_writes_much_is_written_in_parts() {
    let world = World::of(
        r#"do: [{ p: { for: { each: i, in: "${ entity.items }" }, publish: news, with: { all: "${ entity.text }" } } }]"#,
    )
    .await;
    let entity = serde_json::json!({ "id": "e", "items": vec![1; 20], "text": "x".repeat(500_000) });
    assert_eq!(world.runs(entity).await.status, RunStatus::Succeeded);
    assert_eq!(world.store.version("topic-news").await.unwrap(), 20);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_asks_in_a_conversation_that_is_over_fails() {
    let flow = "do: [{ size: { ask: { field: size, prompt: 'Which?' } } }]";
    let world = World::of(flow).await;
    world.said.over.store(true, std::sync::atomic::Ordering::SeqCst);
    let view = world.runs(order()).await;
    assert_eq!(view.error.unwrap().code, "flow.conversation_over");
}
