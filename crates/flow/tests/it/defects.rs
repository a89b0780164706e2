//! Defects of earlier systems that this one must not repeat (requirements §21), by their numbers.

use port::{Fault, Kind, Landed};
use serde_json::json;
use store::{DeadFilter, RunStatus};

use crate::world::{PATIENCE, World, order};

const PAID_ORDER: &str = r#"
do:
  - charge: { call: payments.charge, on_exhausted: compensate, compensate: { call: payments.refund, with: { charge: "${ result.id }" } } }
  - create: { call: orders.create, on_exhausted: compensate, compensate: { call: orders.cancel, with: { id: "${ entity.id }" } } }
"#;

/// State, journal and work are one commit: a refused batch leaves no run behind.
#[tokio::test(start_paused = true)]
async fn b4_a_refused_batch_starts_nothing() {
    let world = World::of(PAID_ORDER).await;
    let (run, mut batch) = world.begin("act_1", order());
    let expected = store::Expected::Version(7);
    batch.appends.push(store::Append { stream: "conversation-1".into(), expected, events: Vec::new() });
    assert!(world.store.commit(batch).await.is_err());
    assert!(world.store.run(run.as_str()).await.unwrap().is_none());
    assert!(world.ledger.effects().is_empty());
}

/// An effect whose process died before writing its outcome is not lost: it is found again under its key.
#[tokio::test(start_paused = true)]
async fn b6_a_crash_does_not_lose_an_executed_step() {
    let mut world = World::of(PAID_ORDER).await;
    world.ledger.dies_at_call(Some(1));
    let run = world.start("act_1", order()).await;
    world.called("payments.charge", 1).await;
    world.dies_and_restarts().await;
    let view = world.engine.wait(run.as_str(), PATIENCE).await.unwrap();
    assert_eq!(view.status, RunStatus::Succeeded);
    assert_eq!(world.ledger.effects(), ["payments.charge", "orders.create"]);
}

/// Paid without an order cannot be: creating the order is a journaled step, and its failure refunds.
#[tokio::test(start_paused = true)]
async fn b11_payment_without_order_is_refunded() {
    let world = World::of(PAID_ORDER).await;
    world.ledger.fails("orders.create", Fault::new(Kind::Refused, Landed::No, "no"));
    let view = world.runs(order()).await;
    assert_eq!(view.status, RunStatus::Compensated);
    assert_eq!(world.ledger.effects(), ["payments.charge", "payments.refund"]);
    assert_eq!(world.ledger.inputs("payments.refund"), [json!({ "charge": "payments.charge#1" })]);
}

/// Keys come from run and step, not from a clock: every attempt has the same.
#[tokio::test(start_paused = true)]
async fn b12_the_key_is_the_same_on_every_attempt() {
    let world =
        World::of("do: [{ pay: { call: payments.charge, retry: { attempts: 3, wait: 10ms } } }]").await;
    for _ in 0..2 {
        world.ledger.fails_once("payments.charge", Fault::new(Kind::Timeout, Landed::Unknown, "no answer"));
    }
    let view = world.runs(order()).await;
    let keys = world.ledger.keys("payments.charge");
    assert_eq!(keys, vec![keys[0].clone(); 3], "{}", view.id);
    assert_eq!(keys[0].len(), 32);
    assert_eq!(world.ledger.count("payments.charge"), 1);
}

/// The failing step itself is undone when nobody knows whether it landed; the error names it; a compensation that
/// fails is parked and visible, and the others go on.
#[tokio::test(start_paused = true)]
async fn b14_the_failing_step_is_undone_and_named() {
    let world = World::of(
        r#"
do:
  - a: { call: inventory.reserve, compensate: { call: inventory.release, with: { id: "${ result.id }" } } }
  - b: { call: orders.create, compensate: { call: orders.cancel, with: { id: "${ result.id }" } } }
  - c: { call: payments.charge, on_exhausted: compensate, compensate: { call: payments.refund, with: { id: "${ result.id }" } } }
"#,
    )
    .await;
    world.ledger.fails_once("payments.charge", Fault::new(Kind::Timeout, Landed::Unknown, "no answer"));
    world.ledger.fails("orders.cancel", Fault::new(Kind::Refused, Landed::No, "locked"));
    let run = world.start("act_1", order()).await;
    let view = world.engine.wait(run.as_str(), PATIENCE).await.unwrap();
    assert_eq!(view.status, RunStatus::Parked, "{view:#?}");
    assert_eq!(&*view.error.as_ref().unwrap().step, "c");
    let effects =
        ["inventory.reserve", "orders.create", "payments.charge", "payments.refund", "inventory.release"];
    assert_eq!(world.ledger.effects(), effects);
    let letter = world
        .store
        .dead(&DeadFilter { source: Some(format!("{run}/b")), ..DeadFilter::default() })
        .await
        .unwrap()
        .remove(0);
    world.ledger.mended("orders.cancel");
    world.engine.replay_dead(&letter.id, false, "ops").await.unwrap();
    world.until(&run, |view| view.status == RunStatus::Compensated).await;
    assert_eq!(world.ledger.count("orders.cancel"), 1);
}

/// Rolling back goes on after a cancel that fails for a while.
#[tokio::test(start_paused = true)]
async fn b15_rollback_does_not_stop_at_a_failing_cancel() {
    let world = World::of("template: order-create").await;
    world.ledger.fails("payments.charge", Fault::new(Kind::Refused, Landed::No, "declined"));
    world.ledger.fails_once("orders.cancel", Fault::new(Kind::Unavailable, Landed::No, "away"));
    let view = world.runs(order()).await;
    assert_eq!(view.status, RunStatus::Compensated);
    let wanted = [
        "inventory.reserve",
        "inventory.reserve",
        "orders.create",
        "orders.cancel",
        "inventory.release",
        "inventory.release",
    ];
    assert_eq!(world.ledger.effects(), wanted);
    let released: Vec<_> =
        world.ledger.inputs("inventory.release").into_iter().map(|input| input["id"].clone()).collect();
    assert_eq!(released, [json!("inventory.reserve#2"), json!("inventory.reserve#1")]);
}

/// A dead letter is written with the entry that says so, holds the original input, and can be replayed.
#[tokio::test(start_paused = true)]
async fn b20_a_dead_letter_has_cause_history_input_and_correlation() {
    let world = World::of(
        "do: [{ pay: { call: payments.charge, with: { amount: 5 }, retry: { attempts: 2, wait: 10ms } } }]",
    )
    .await;
    world.ledger.fails("payments.charge", Fault::new(Kind::Unavailable, Landed::No, "away"));
    let run = world.start("act_1", order()).await;
    world.until(&run, |view| view.status == RunStatus::Paused).await;
    let letters = world.store.dead(&DeadFilter::default()).await.unwrap();
    assert_eq!(letters.len(), 1, "one letter, not one per attempt");
    let letter = &letters[0];
    assert_eq!((letter.code.as_str(), letter.message.as_str()), ("call.unavailable", "away"));
    assert_eq!((letter.history.len(), letter.correlation.as_str()), (2, "corr"));
    assert_eq!(letter.input, json!({ "amount": 5 }).to_string().into_bytes());
}

/// What must never be repeated is not sent again after a crash: it is verified, or waits for a person.
#[tokio::test(start_paused = true)]
async fn a_never_operation_is_not_sent_again_after_a_crash() {
    for (verify, status) in
        [("", RunStatus::Paused), (", verify: { call: payments.find }", RunStatus::Succeeded)]
    {
        let flow = format!("do: [{{ pay: {{ call: payments.capture, compensate: none{verify} }} }}]");
        let mut world = World::of(&flow).await;
        world.ledger.answers("payments.find", json!({ "id": "found" }));
        world.ledger.dies_at_call(Some(1));
        let run = world.start("act_1", order()).await;
        world.called("payments.capture", 1).await;
        world.dies_and_restarts().await;
        let view = world.until(&run, |view| view.status == status).await;
        assert_eq!(world.ledger.keys("payments.capture").len(), 1, "{view:#?}");
    }
}

/// What a run was begun with is worth nothing once somebody else has gone on with it: finished steps stay finished.
#[tokio::test(start_paused = true)]
async fn a_wake_up_that_comes_late_repeats_nothing() {
    let world = World::of(PAID_ORDER).await;
    for commit in [Some("act_1".to_owned()), None] {
        let before = world.ledger.keys("payments.charge").len();
        let mut start = flow::Start::default();
        start.run = format!("run_{}", commit.as_deref().unwrap_or("plain"));
        start.flow = "main".into();
        start.tenant = "default".into();
        start.conversation = Some("conv_1".into());
        start.commit = commit;
        start.input = json!({ "entity": order() });
        let mut batch = store::Batch::default();
        let begun = world.engine.begin(&mut batch, start).unwrap();
        world.store.commit(batch).await.unwrap();
        world.engine.committed(&[flow::RunId::from(begun.as_str())]);
        world.engine.wait(begun.as_str(), PATIENCE).await.unwrap();
        world.engine.committed(std::slice::from_ref(&begun));
        world.until(&begun, |view| view.status == RunStatus::Succeeded).await;
        world.passes(PATIENCE).await;
        assert_eq!(world.ledger.keys("payments.charge").len(), before + 1, "{begun}");
    }
}

/// A failed call says what the system said, in the run's error and in the dead letter alike.
#[tokio::test(start_paused = true)]
async fn a_failed_call_names_what_was_at_fault() {
    let world = World::of("do: [{ pay: { call: payments.charge, on_exhausted: compensate } }]").await;
    let fault = Fault::new(Kind::Refused, Landed::No, "the system refused").with("answer", "card expired");
    world.ledger.fails("payments.charge", fault);
    let error = world.runs(order()).await.error.unwrap();
    assert_eq!(
        (error.code.as_str(), error.message.as_str()),
        ("call.refused", r#"the system refused, answer "card expired""#)
    );
}
