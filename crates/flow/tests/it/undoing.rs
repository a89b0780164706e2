//! A run that has ended is undone later, once, and can be begun again after that.

use conversation::Change;
use port::{Fault, Kind, Landed};
use serde_json::json;
use store::RunStatus;

use crate::world::{PATIENCE, World, order};

const SALE: &str = r#"
do:
  - reserve: { call: inventory.reserve, compensate: { call: inventory.release, with: { id: "${ result.id }", why: "${ error.message }" } } }
  - pay: { call: payments.charge, compensate: { call: payments.refund, with: { id: "${ result.id }" } } }
  - note: { call: crm.update, compensate: none }
"#;

#[tokio::test(start_paused = true)]
async fn a_succeeded_run_is_undone_in_reverse_once() {
    let mut world = World::of(SALE).await;
    let run = world.start("act_1", order()).await;
    assert_eq!(world.engine.wait(run.as_str(), PATIENCE).await.unwrap().status, RunStatus::Succeeded);
    world.dies_and_restarts().await;
    world.engine.undo(run.as_str(), false, flow::Author::new("ada", "sent back")).await.unwrap();
    let view = world.until(&run, |view| view.status.is_ended()).await;
    assert_eq!((view.status, view.error.unwrap().code.as_str()), (RunStatus::Compensated, "flow.undone"));
    assert_eq!(world.ledger.effects()[3..], ["payments.refund", "inventory.release"]);
    assert_eq!(world.ledger.inputs("inventory.release")[0]["why"], "undone by ada: sent back");
    let told = world.said.said.lock().last().unwrap().change.clone();
    let Some(Change::Failed { error, .. }) = told else { panic!("{told:?}") };
    assert_eq!(error.details.unwrap()["parked"], false);
    assert!(world.engine.undo(run.as_str(), false, "ada").await.is_err(), "it is undone");
    // Done again, what was undone has keys of its own.
    world.engine.restart_from(run.as_str(), "reserve", false, "ops").await.unwrap();
    world.until(&run, |view| view.status == RunStatus::Succeeded).await;
    let keys = world.ledger.keys("payments.charge");
    assert_eq!((keys.len(), keys[0] == keys[1], world.ledger.count("payments.charge")), (2, false, 2));
    world.engine.undo(run.as_str(), false, "ada").await.unwrap();
    world.until(&run, |view| view.status == RunStatus::Compensated).await;
    assert_eq!(world.ledger.count("payments.refund"), 2);
}

#[tokio::test(start_paused = true)]
async fn an_undo_outlives_a_crash_at_each_write() {
    for entries in 1.. {
        let mut world = World::of(SALE).await;
        let run = world.start("act_1", order()).await;
        world.engine.wait(run.as_str(), PATIENCE).await.unwrap();
        world.crash.after(entries);
        let _may_die = world.engine.undo(run.as_str(), false, "ada").await;
        let look = async || {
            let view = world.engine.view(run.as_str()).await.unwrap();
            let over = view.status == RunStatus::Compensated;
            world.crash.has_died().then_some(true).or(over.then_some(false))
        };
        let died = crate::world::eventually("dead or undone", look).await;
        if died {
            world.dies_and_restarts().await;
        }
        world.until(&run, |view| view.status == RunStatus::Compensated).await;
        assert_eq!(world.ledger.effects()[3..], ["payments.refund", "inventory.release"], "{entries}");
        if !died {
            return;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_undo_that_is_stuck_parks_the_run() {
    let world = World::of(SALE).await;
    let run = world.start("act_1", order()).await;
    assert!(world.engine.undo("run_0", false, "ada").await.is_err(), "unknown");
    world.engine.wait(run.as_str(), PATIENCE).await.unwrap();
    world.ledger.fails("payments.refund", Fault::new(Kind::Refused, Landed::No, "too late"));
    world.engine.undo(run.as_str(), false, "ada").await.unwrap();
    world.until(&run, |view| view.status == RunStatus::Parked).await;
    assert!(world.engine.undo(run.as_str(), false, "ada").await.is_err(), "a letter waits");
    world.ledger.mended("payments.refund");
    world.engine.replay_dead(&world.dead().await.id, false, "ops").await.unwrap();
    world.until(&run, |view| view.status == RunStatus::Compensated).await;
}

#[tokio::test(start_paused = true)]
async fn only_what_has_ended_is_undone() {
    let world = World::of("{ do: [{ gate: { listen: { signal: go } } }] }").await;
    let run = world.start("act_1", order()).await;
    world.until(&run, |view| view.status == RunStatus::Waiting).await;
    let refused = world.engine.undo(run.as_str(), false, "ada").await.unwrap_err();
    assert_eq!(refused.to_string(), format!("run {run} is waiting: it has not ended: cancel it"));
}

/// One that gave way to another of its key has done nothing: its undoing is over at once.
#[tokio::test(start_paused = true)]
async fn a_run_that_never_had_its_turn_is_undone_at_once() {
    let world =
        World::of("{ key: '${ entity.id }', busy: reject, do: [{ gate: { listen: { signal: go } } }] }")
            .await;
    let first = world.start("act_1", order()).await;
    world.until(&first, |view| view.status == RunStatus::Waiting).await;
    let second = world.start("act_2", order()).await;
    assert_eq!(world.engine.wait(second.as_str(), PATIENCE).await.unwrap().status, RunStatus::Failed);
    world.signal(&first, "go", "s", serde_json::json!(null)).await;
    world.engine.wait(first.as_str(), PATIENCE).await.unwrap();
    world.engine.undo(second.as_str(), true, "ada").await.unwrap();
    world.until(&second, |view| view.status == RunStatus::Compensated).await;
}

/// It had ended, was to be done again and waits for its turn: cancelled, it is undone when that comes.
#[tokio::test(start_paused = true)]
async fn a_restarted_run_that_is_cancelled_before_its_turn_is_undone_in_its_turn() {
    let flow = "{ key: '${ entity.id }', do: [{ pay: { call: payments.charge, compensate: { call: payments.refund } } }, { gate: { listen: { signal: go } } }] }";
    let world = World::of(flow).await;
    let first = world.start("act_1", order()).await;
    world.signal(&first, "go", "s1", json!(null)).await;
    world.until(&first, |view| view.status == RunStatus::Succeeded).await;
    let second = world.start("act_2", order()).await;
    world.until(&second, |view| view.status == RunStatus::Waiting).await;
    world.engine.restart_from(first.as_str(), "gate", false, "ops").await.unwrap();
    world.engine.cancel(first.as_str(), "ops").await.unwrap();
    assert_eq!(world.engine.view(first.as_str()).await.unwrap().status, RunStatus::Queued);
    assert_eq!(world.ledger.count("payments.refund"), 0, "another of its key is at work");
    world.signal(&second, "go", "s2", json!(null)).await;
    world.until(&second, |view| view.status == RunStatus::Succeeded).await;
    let view = world.until(&first, |view| view.status == RunStatus::Compensated).await;
    assert_eq!(
        (view.error.unwrap().code.as_str(), world.ledger.count("payments.refund")),
        ("flow.cancelled", 1)
    );
}
