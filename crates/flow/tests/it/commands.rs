//! What people do with runs: pause, resume, cancel, restart, replay; and runs that queue behind each other.

use std::time::Duration;

use port::{Fault, Kind, Landed};
use serde_json::json;
use store::{DeadFilter, RunStatus};

use crate::world::{PATIENCE, World, order};

const TWO: &str = r#"
do:
  - reserve: { call: inventory.reserve, compensate: { call: inventory.release, with: { id: "${ result.id }" } } }
  - charge: { call: payments.charge, with: { amount: 1 } }
"#;

#[tokio::test(start_paused = true)]
async fn exhausted_pauses_with_a_dead_letter_and_replay_keeps_the_key() {
    let mut world = World::of(TWO).await;
    world.ledger.fails("payments.charge", Fault::new(Kind::Unavailable, Landed::No, "away"));
    let run = world.start("act_1", order()).await;
    let view = world.until(&run, |view| view.status == RunStatus::Paused).await;
    assert_eq!(view.blocked_on.unwrap().step.as_deref(), Some("charge"));
    let letter = world.store.dead(&DeadFilter::default()).await.unwrap().remove(0);
    assert_eq!((letter.system.as_str(), letter.operation.as_str()), ("payments", "charge"));
    assert_eq!(letter.input, json!({ "amount": 1 }).to_string().into_bytes());
    world.dies_and_restarts().await;
    world.ledger.mended("payments.charge");
    world.engine.edit_dead(&letter.id, &json!({ "amount": 2 })).await.unwrap();
    world.engine.replay_dead(&letter.id, false, "ops").await.unwrap();
    assert_eq!(world.engine.wait(run.as_str(), PATIENCE).await.unwrap().status, RunStatus::Succeeded);
    assert_eq!(world.ledger.inputs("payments.charge"), [json!({ "amount": 2 })]);
    let keys = world.ledger.keys("payments.charge");
    assert!(keys.len() == 2 && keys[0] == keys[1] && Some(&keys[0]) == letter.key.as_ref(), "{keys:?}");
    assert!(world.engine.replay_dead(&letter.id, false, "ops").await.is_err(), "a letter is replayed once");
}

#[tokio::test(start_paused = true)]
async fn cancel_undoes_what_was_done() {
    let world = World::of("{ do: [{ reserve: { call: inventory.reserve, compensate: { call: inventory.release, with: { id: '${ result.id }' } } } }, { wait: 1h }] }").await;
    let run = world.start("act_1", order()).await;
    world.until(&run, |view| view.status == RunStatus::Waiting).await;
    world.engine.cancel(run.as_str(), "ops").await.unwrap();
    let view = world.engine.wait(run.as_str(), PATIENCE).await.unwrap();
    assert_eq!(view.status, RunStatus::Cancelled);
    assert_eq!(world.ledger.effects(), ["inventory.reserve", "inventory.release"]);
    assert!(world.engine.cancel(run.as_str(), "ops").await.is_err(), "cancelling an ended run");
}

#[tokio::test(start_paused = true)]
async fn pause_lets_calls_come_home_and_resume_goes_on() {
    let world = World::of(TWO).await;
    world.ledger.holds("inventory.reserve");
    let run = world.start("act_1", order()).await;
    world.called("inventory.reserve", 1).await;
    world.engine.pause(run.as_str(), "ops").await.unwrap();
    world.ledger.lets_go("inventory.reserve");
    let home =
        |view: &flow::RunView| view.steps.iter().any(|step| step.status == flow::StepStatus::Succeeded);
    let view = world.until(&run, home).await;
    assert_eq!(view.status, RunStatus::Paused, "{view:#?}");
    assert_eq!(world.ledger.effects(), ["inventory.reserve"]);
    world.engine.resume(run.as_str(), false, "ops").await.unwrap();
    assert_eq!(world.engine.wait(run.as_str(), PATIENCE).await.unwrap().status, RunStatus::Succeeded);
}

#[tokio::test(start_paused = true)]
async fn restart_from_a_step_keeps_what_was_before() {
    let world = World::of(
        "{ on_exhausted: fail, do: [{ a: { call: inventory.reserve } }, { b: { call: payments.charge } }] }",
    )
    .await;
    world.ledger.fails_once("payments.charge", Fault::new(Kind::Unavailable, Landed::No, "away"));
    let run = world.start("act_1", order()).await;
    assert_eq!(world.engine.wait(run.as_str(), PATIENCE).await.unwrap().status, RunStatus::Failed);
    world.engine.restart_from(run.as_str(), "b", false, "ops").await.unwrap();
    let view = world.until(&run, |view| view.status == RunStatus::Succeeded).await;
    assert_eq!(view.steps.len(), 2, "{view:#?}");
    assert_eq!(world.ledger.effects(), ["inventory.reserve", "payments.charge"]);
    assert!(world.engine.restart_from(run.as_str(), "zzz", false, "ops").await.is_err());
}

#[tokio::test(start_paused = true)]
async fn runs_of_one_key_go_one_at_a_time() {
    let world = World::of("{ key: '${ entity.id }', do: [{ gate: { listen: { signal: go } } }, { call: crm.update, with: { n: '${ run.commit }' } }] }").await;
    let first = world.start("act_1", order()).await;
    let second = world.start("act_2", order()).await;
    world.until(&first, |view| view.status == RunStatus::Waiting).await;
    let view = world.engine.view(second.as_str()).await.unwrap();
    assert_eq!((view.status, view.blocked_on.unwrap().reason), (RunStatus::Queued, "queued"));
    world.signal(&second, "go", "s", json!(null)).await;
    world.signal(&first, "go", "s", json!(null)).await;
    world.engine.wait(second.as_str(), PATIENCE).await.unwrap();
    assert_eq!(world.ledger.inputs("crm.update"), [json!({ "n": "act_1" }), json!({ "n": "act_2" })]);
}

#[tokio::test(start_paused = true)]
async fn a_run_keeps_its_definition_when_the_flow_changes() {
    let mut world = World::of("{ do: [{ gate: { listen: { signal: go } } }, { call: crm.update }] }").await;
    let run = world.start("act_1", order()).await;
    let hash = world.until(&run, |view| view.status == RunStatus::Waiting).await.hash;
    world.changes_flow("{ do: [{ call: email.send }] }");
    world.dies_and_restarts().await;
    world.signal(&run, "go", "s", json!(null)).await;
    let view = world.engine.wait(run.as_str(), PATIENCE).await.unwrap();
    assert_eq!((view.status, view.hash), (RunStatus::Succeeded, hash));
    assert_eq!(world.ledger.effects(), ["crm.update"]);
}

/// Operators are served by a runtime of their own; what they set in motion outlives it.
#[tokio::test(start_paused = true)]
async fn a_run_stays_at_home_whoever_tells_it_something() {
    let mut world = World::of(TWO).await;
    world.ledger.fails("payments.charge", Fault::new(Kind::Unavailable, Landed::No, "away"));
    let run = world.start("act_1", order()).await;
    world.until(&run, |view| view.status == RunStatus::Paused).await;
    let letter = world.store.dead(&DeadFilter::default()).await.unwrap().remove(0);
    world.dies_and_restarts().await;
    world.ledger.mended("payments.charge");
    world.ledger.takes("payments.charge", Duration::from_millis(200));
    let engine = world.engine.clone();
    let elsewhere = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(engine.replay_dead(&letter.id, false, "ops")).unwrap();
    });
    tokio::task::spawn_blocking(|| elsewhere.join().unwrap()).await.unwrap();
    assert_eq!(world.engine.wait(run.as_str(), PATIENCE).await.unwrap().status, RunStatus::Succeeded);
}
