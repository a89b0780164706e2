//! What is in doubt when a run comes to nothing: the run is parked until a person says what became of it.

use conversation::Change;
use flow::{Author, Error, Landing, StepStatus};
use port::{Fault, Kind, Landed};
use serde_json::json;
use store::{DeadFilter, DeadState, RunStatus};

use crate::world::{World, order};

const CAPTURED: &str = "do: [{ pay: { call: payments.capture, compensate: none } }]";
const KEPT: &str = "{ on_exhausted: fail, do: [{ pay: { call: payments.capture, compensate: none } }] }";

fn lost() -> Fault {
    Fault::new(Kind::Timeout, Landed::Unknown, "no answer")
}

fn by() -> Author {
    Author::new("ada", "their back office says so")
}

async fn outcome(world: &World, run: &flow::RunId) -> Landing {
    let effects = world.engine.effects(run.as_str()).await.unwrap();
    effects[0].outcome
}

fn last_told(world: &World) -> Change {
    world.said.said.lock().iter().rev().find_map(|said| said.change.clone()).unwrap()
}

/// A run that is cancelled, or has given up, while nobody knows whether its one call landed.
async fn left_in_doubt(flow: &str) -> (World, flow::RunId) {
    let world = World::of(flow).await;
    world.ledger.fails("payments.capture", lost());
    let run = world.start("act_1", order()).await;
    world.until(&run, |view| matches!(view.status, RunStatus::Paused | RunStatus::Parked)).await;
    if flow == CAPTURED {
        world.engine.cancel(run.as_str(), "ops").await.unwrap();
    }
    let view = world.until(&run, |view| view.status == RunStatus::Parked).await;
    assert_eq!(view.steps[0].status, StepStatus::Unknown, "{view:#?}");
    assert_eq!(last_told(&world), Change::Unknown { step: "pay".into() });
    assert_eq!(outcome(&world, &run).await, Landing::Unknown);
    (world, run)
}

#[tokio::test(start_paused = true)]
async fn what_is_not_undone_and_not_known_keeps_the_run_until_a_person_says() {
    for flow in [CAPTURED, KEPT] {
        for landed in [None, Some(json!({ "id": "c_1" }))] {
            let (mut world, run) = left_in_doubt(flow).await;
            let again = world.engine.restart_from(run.as_str(), "pay", false, "ops").await.unwrap_err();
            assert_eq!(again, Error::Unsettled { run: run.to_string(), step: "pay".into() });
            world.dies_and_restarts().await;
            world.engine.settle(run.as_str(), "pay", landed.clone(), by()).await.unwrap();
            let view = world.until(&run, |view| view.status.is_ended()).await;
            let status = if flow == CAPTURED { RunStatus::Cancelled } else { RunStatus::Failed };
            assert_eq!((view.status, world.ledger.count("payments.capture")), (status, 1), "{view:#?}");
            let wanted = if landed.is_some() { Landing::Landed } else { Landing::DidNotLand };
            assert_eq!(outcome(&world, &run).await, wanted);
            let stands = view.rollback.unwrap().not_undone;
            assert_eq!(stands.is_empty(), landed.is_none(), "{stands:?}");
            assert!(matches!(last_told(&world), Change::Failed { .. }));
            let decided = view.decisions.last().unwrap();
            assert_eq!((decided.what, &decided.by), ("StepSettled", &by()));
        }
    }
}

/// The undo needs what the call answered; nobody knows that, so it waits. What a person says of the step, or of its undo, is done.
#[tokio::test(start_paused = true)]
async fn what_a_person_says_of_a_parked_undo_is_done() {
    let flow = r#"do: [{ pay: { call: payments.capture, compensate: { call: payments.refund, with: { id: "${ result.id }" } } } }]"#;
    for (step, landed, refunds) in
        [("pay", Some(json!({ "id": "c_1" })), 1), ("pay", None, 0), ("pay/undo", Some(json!(null)), 0)]
    {
        let world = World::of(flow).await;
        world.ledger.fails("payments.capture", lost());
        let run = world.start("act_1", order()).await;
        world.until(&run, |view| view.status == RunStatus::Paused).await;
        world.engine.cancel(run.as_str(), "ops").await.unwrap();
        let view = world.until(&run, |view| view.status == RunStatus::Parked).await;
        assert_eq!(view.rollback.unwrap().not_undone, ["pay"]);
        world.engine.settle(run.as_str(), step, landed.clone(), by()).await.unwrap();
        world.until(&run, |view| view.status.is_ended()).await;
        assert_eq!(world.ledger.count("payments.refund"), refunds, "{step} {landed:?}");
        let open = DeadFilter { state: Some(DeadState::Open), ..DeadFilter::default() };
        assert_eq!(world.store.dead(&open).await.unwrap(), [], "{step} {landed:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_refusal_of_a_send_after_a_look_up_is_looked_up_too() {
    let flow = "do: [{ pay: { call: payments.capture, compensate: none, verify: { call: payments.find, found: 'result.there', \
                after: 1s, every: 1s, until: 3s, not_found: send } } }]";
    for there in [true, false] {
        let world = World::of(flow).await;
        world.ledger.fails_once("payments.capture", lost());
        world.ledger.fails_once("payments.capture", Fault::new(Kind::Conflict, Landed::No, "it exists"));
        world.ledger.answers("payments.find", json!({ "there": false }));
        let run = world.start("act_1", order()).await;
        world.called("payments.capture", 2).await;
        world.ledger.answers("payments.find", json!({ "there": there }));
        let view = world.until(&run, |view| view.status.is_ended()).await;
        let status = if there { RunStatus::Succeeded } else { RunStatus::Failed };
        assert_eq!((view.status, world.ledger.keys("payments.capture").len()), (status, 2), "{view:#?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_parent_is_undone_past_a_child_that_was_undone_before() {
    let undone = |id| {
        format!("{{ call: orders.create, compensate: {{ call: orders.cancel, with: {{ id: {id} }} }} }}")
    };
    let parent = format!("do: [{{ a: {} }}, {{ k: {{ run: child }} }}]", undone(1));
    let world = World::with(&[("main", &parent), ("child", &format!("do: [{{ x: {} }}]", undone(2)))]).await;
    let run = world.start("act_1", order()).await;
    world.until(&run, |view| view.status == RunStatus::Succeeded).await;
    let rows = world.store.runs(&store::RunFilter::default()).await.unwrap();
    let child = rows.iter().find(|row| row.flow == "child").unwrap().id.clone();
    world.engine.undo(&child, true, "ops").await.unwrap();
    world.called("orders.cancel", 1).await;
    world.engine.wait(&child, crate::world::PATIENCE).await.unwrap();
    world.engine.undo(run.as_str(), false, "ops").await.unwrap();
    world.until(&run, |view| view.status == RunStatus::Compensated).await;
    assert_eq!(world.ledger.inputs("orders.cancel"), [json!({ "id": 2 }), json!({ "id": 1 })]);
}

#[tokio::test(start_paused = true)]
async fn a_person_settles_a_message_of_which_nobody_knows() {
    for compensate in ["none", "{ call: payments.refund, with: { id: '${ result.id }' } }"] {
        let flow = format!("do: [{{ pay: {{ tell: payments.capture, compensate: {compensate} }} }}]");
        let world = World::of(&flow).await;
        world.ledger.fails("payments.capture", lost());
        let run = world.start("act_1", order()).await;
        world.dead().await;
        crate::world::eventually("the run knows", async || {
            let unknown = outcome(&world, &run).await == Landing::Unknown;
            unknown.then_some(())
        })
        .await;
        let again = world.engine.restart_from(run.as_str(), "pay", false, "ops").await.unwrap_err();
        assert_eq!(again.code(), "flow.unsettled");
        world.engine.settle(run.as_str(), "pay", Some(json!({ "id": "c_1" })), by()).await.unwrap();
        world.passes(std::time::Duration::from_secs(60)).await;
        assert_eq!(outcome(&world, &run).await, Landing::Landed);
        assert_eq!(world.ledger.count("payments.capture"), 1);
    }
}

/// A removal is there when what was removed is not: an output of `null` is read back as one.
#[tokio::test(start_paused = true)]
async fn a_removal_that_was_found_stays_found() {
    let flow = "do: [{ pay: { call: payments.capture, compensate: none, verify: { call: payments.find, absent: true } } }, { wait: 1h }]";
    let mut world = World::of(flow).await;
    world.ledger.fails("payments.capture", lost());
    world.ledger.fails("payments.find", Fault::new(Kind::NotFound, Landed::No, "no such thing"));
    let run = world.start("act_1", order()).await;
    world
        .until(&run, |view| view.steps.first().is_some_and(|step| step.status == StepStatus::Succeeded))
        .await;
    world.dies_and_restarts().await;
    let view = world.engine.view(run.as_str()).await.unwrap();
    assert_eq!(view.steps[0].status, StepStatus::Succeeded, "{view:#?}");
    assert_eq!((outcome(&world, &run).await, world.ledger.count("payments.capture")), (Landing::Landed, 1));
}

/// What a restarted run has not come to again is there all the same.
#[tokio::test(start_paused = true)]
async fn what_was_done_before_a_restart_is_named_when_the_run_fails() {
    let flow = "do: [{ gate: { listen: { signal: go }, timeout: 1s } }, { pay: { call: payments.charge, compensate: none } }]";
    let world = World::of(flow).await;
    let run = world.start("act_1", order()).await;
    world.signal(&run, "go", "s1", json!(null)).await;
    world.until(&run, |view| view.status == RunStatus::Succeeded).await;
    world.engine.restart_from(run.as_str(), "gate", false, "ops").await.unwrap();
    let view = world.until(&run, |view| view.status == RunStatus::Failed).await;
    assert_eq!(view.rollback.unwrap().not_undone, ["pay"]);
    let Change::Failed { rollback, .. } = last_told(&world) else { panic!("it has failed") };
    assert_eq!(rollback.unwrap()["not_undone"], json!(["pay"]));
}
