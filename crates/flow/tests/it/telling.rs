//! What a conversation is told of how far its commit has come.

use conversation::Change;
use flow::Rollback;
use port::{Fault, Kind, Landed};
use serde_json::json;
use store::RunStatus;

use crate::world::{World, order};

/// What was told so far.
fn told(world: &World) -> Vec<Change> {
    world.said.said.lock().iter().filter_map(|said| said.change.clone()).collect()
}

fn lost() -> Fault {
    Fault::new(Kind::Timeout, Landed::Unknown, "no answer")
}

fn unknown(step: &str) -> Change {
    Change::Unknown { step: step.to_owned() }
}

fn names(steps: &[&str]) -> Vec<String> {
    steps.iter().map(|step| (*step).to_owned()).collect()
}

/// Nobody knows, and nobody will before a person says so: it has not failed.
#[tokio::test(start_paused = true)]
async fn an_outcome_that_nobody_knows_is_told_as_that_and_once() {
    let mut world = World::of("do: [{ pay: { call: payments.capture, compensate: none } }]").await;
    world.ledger.fails("payments.capture", lost());
    let run = world.start("act_1", order()).await;
    let view = world.until(&run, |view| view.status == RunStatus::Paused).await;
    assert_eq!(view.unknown.as_deref(), Some("pay"), "{view:#?}");
    assert_eq!(told(&world), [Change::InProgress, unknown("pay")]);
    world.dies_and_restarts().await;
    world.engine.cancel(run.as_str(), "ada").await.unwrap();
    let view = world.until(&run, |view| view.status.is_ended() || view.status == RunStatus::Parked).await;
    let told = told(&world);
    assert_eq!(
        told.iter().filter(|outcome| matches!(outcome, Change::Unknown { .. })).count(),
        1,
        "{told:?}"
    );
    assert_eq!(
        (view.status, view.unknown.is_some()),
        (RunStatus::Parked, true),
        "a person settles it: {view:#?}"
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_found_out_is_told_when_it_is() {
    let flow = "do: [{ pay: { call: payments.capture, compensate: none, verify: { call: payments.find } } }, { wait: 1h }]";
    let world = World::of(flow).await;
    world.ledger.fails_once("payments.capture", lost());
    world.ledger.holds("payments.find");
    let run = world.start("act_1", order()).await;
    world.until(&run, |view| view.unknown.is_some()).await;
    assert_eq!(told(&world), [Change::InProgress, unknown("pay")]);
    world.ledger.lets_go("payments.find");
    world.until(&run, |view| view.blocked_on.as_ref().is_some_and(|on| on.reason == "timer")).await;
    assert_eq!(told(&world), [Change::InProgress, unknown("pay"), Change::InProgress]);
}

/// The run that the commit began says what nobody knows two runs below it.
#[tokio::test(start_paused = true)]
async fn what_nobody_knows_below_is_told_above() {
    let pays = "do: [{ pay: { call: payments.capture, compensate: none } }]";
    let flows = [
        ("main", "do: [{ kid: { run: child } }]"),
        ("child", "do: [{ own: { run: other } }]"),
        ("other", pays),
    ];
    let mut world = World::with(&flows).await;
    world.ledger.fails_once("payments.capture", lost());
    let run = world.start("act_1", order()).await;
    let view = world.until(&run, |view| view.unknown.is_some()).await;
    assert_eq!(view.unknown.as_deref(), Some("kid/own/pay"), "{view:#?}");
    assert_eq!(told(&world), [Change::InProgress, unknown("kid/own/pay")]);
    world.dies_and_restarts().await;
    let below = store::RunFilter { flow: Some("other".into()), ..store::RunFilter::default() };
    let below = world.store.runs(&below).await.unwrap().remove(0).id;
    world.engine.settle(&below, "pay", Some(json!({ "id": "1" })), "ada").await.unwrap();
    let view = world.until(&run, |view| view.status == RunStatus::Succeeded).await;
    assert_eq!(view.unknown, None);
    let told = told(&world);
    assert!(matches!(told.last(), Some(Change::Success { .. })), "{told:?}");
    let times = told.iter().filter(|change| matches!(change, Change::Unknown { .. })).count();
    assert_eq!(times, 1, "{told:?}");
}

/// What is given up below while nobody knows is unknown above, until a person says what it was.
#[tokio::test(start_paused = true)]
async fn a_doubt_that_outlives_a_run_below_is_told_above() {
    let flows = [
        ("main", "do: [{ kid: { run: child } }]"),
        ("child", "do: [{ pay: { call: payments.capture, compensate: none } }]"),
    ];
    let world = World::with(&flows).await;
    world.ledger.fails_once("payments.capture", lost());
    let run = world.start("act_1", order()).await;
    world.until(&run, |view| view.unknown.is_some()).await;
    world.engine.cancel(run.as_str(), "ada").await.unwrap();
    let view = world.until(&run, |view| view.status == RunStatus::Parked).await;
    assert_eq!(view.unknown.as_deref(), Some("kid/pay"), "{view:#?}");
    assert!(told(&world).iter().all(|change| !matches!(change, Change::Failed { .. })), "{:?}", told(&world));
    let below = store::RunFilter { flow: Some("child".into()), ..store::RunFilter::default() };
    let below = world.store.runs(&below).await.unwrap().remove(0).id;
    world.engine.settle(&below, "pay", None, "ada").await.unwrap();
    let view = world.until(&run, |view| view.status == RunStatus::Cancelled).await;
    assert_eq!(view.unknown, None, "{view:#?}");
    assert!(matches!(told(&world).last(), Some(Change::Failed { .. })), "{:?}", told(&world));
}

#[tokio::test(start_paused = true)]
async fn a_run_that_came_to_nothing_says_what_it_undid_and_what_stands() {
    let flow = r#"
do:
  - pay: { call: payments.charge, compensate: { call: payments.refund, with: { id: "${ result.id }" } } }
  - take: { call: payments.capture, compensate: none }
  - look: { call: payments.find }
  - raise: { code: shop.closed, message: closed }
"#;
    let world = World::of(flow).await;
    let view = world.runs(order()).await;
    let expected = Rollback { undone: names(&["pay"]), not_undone: names(&["take"]), unknown: Vec::new() };
    assert_eq!(view.rollback.as_ref(), Some(&expected), "{view:#?}");
    let told = told(&world);
    let Some(Change::Failed { rollback, .. }) = told.last() else { panic!("{told:?}") };
    assert_eq!(json!(rollback), json!(expected));
}
