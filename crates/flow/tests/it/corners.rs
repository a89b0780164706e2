//! Where restarts, children, races and doubts meet.

use conversation::Change;
use flow::{RunId, RunView, StepStatus};
use port::{Fault, Kind, Landed};
use store::{RunFilter, RunStatus};

use crate::world::{PATIENCE, World, order};

const CHARGE: &str = "{ call: payments.charge, on_exhausted: compensate, compensate: { call: payments.refund, with: { id: '${ result.id }' } } }";
const CAPTURE: &str =
    "{ call: payments.capture, compensate: { call: payments.refund, with: { id: '${ result.id }' } } }";

fn lost() -> Fault {
    Fault::new(Kind::Timeout, Landed::Unknown, "no answer")
}

fn refused() -> Fault {
    Fault::new(Kind::Refused, Landed::No, "no")
}

async fn children(world: &World) -> Vec<RunId> {
    let filter = RunFilter { flow: Some("child".into()), ..RunFilter::default() };
    let rows = world.store.runs(&filter).await.unwrap();
    rows.iter().map(|row| row.id.as_str().into()).collect()
}

async fn over(world: &World, run: &RunId) -> RunView {
    world.engine.wait(run.as_str(), PATIENCE).await.unwrap()
}

/// Charges, minus what was refunded.
fn stands(world: &World, charge: &str) -> usize {
    world.ledger.count(charge) - world.ledger.count("payments.refund")
}

fn family(parent: &str) -> [(&'static str, String); 2] {
    [("main", parent.to_owned()), ("child", format!("do: [{{ c: {CHARGE} }}]"))]
}

async fn world(parent: &str) -> World {
    let flows = family(parent);
    World::with(&flows.each_ref().map(|(name, flow)| (*name, flow.as_str()))).await
}

#[tokio::test(start_paused = true)]
async fn a_run_that_a_step_began_is_its_effect_also_when_the_step_is_done_again() {
    let mut world = world("do: [{ a: { call: crm.update, compensate: none } }, { k: { run: child } }]").await;
    let run = world.start("act_1", order()).await;
    assert_eq!(over(&world, &run).await.status, RunStatus::Succeeded);
    for step in ["k", "a"] {
        world.engine.restart_from(run.as_str(), step, false, "ops").await.unwrap();
        assert_eq!(over(&world, &run).await.status, RunStatus::Succeeded);
        world.dies_and_restarts().await;
        assert_eq!((children(&world).await.len(), stands(&world, "payments.charge")), (1, 1), "{step}");
    }
    world.engine.undo(run.as_str(), false, "ops").await.unwrap();
    assert_eq!(over(&world, &run).await.status, RunStatus::Compensated);
    assert_eq!(stands(&world, "payments.charge"), 0);
    // Undone, it is done again by another run.
    world.engine.restart_from(run.as_str(), "k", false, "ops").await.unwrap();
    assert_eq!(over(&world, &run).await.status, RunStatus::Succeeded);
    assert_eq!((children(&world).await.len(), stands(&world, "payments.charge")), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn what_a_child_did_is_its_parents_to_undo_and_to_do_again() {
    let world = world("do: [{ k: { run: child } }, { w: { listen: { signal: go } } }]").await;
    let run = world.start("act_1", order()).await;
    world.called("payments.charge", 1).await;
    let child = children(&world).await.remove(0);
    over(&world, &child).await;
    let undone = world.engine.undo(child.as_str(), false, "ops").await.unwrap_err();
    let again = world.engine.restart_from(child.as_str(), "c", false, "ops").await.unwrap_err();
    assert_eq!([undone.code(), again.code()], ["flow.child", "flow.child"], "{undone} {again}");
    assert!(undone.to_string().contains(run.as_str()), "{undone}");
    world.engine.undo(child.as_str(), true, "ops").await.unwrap();
    assert_eq!(over(&world, &child).await.status, RunStatus::Compensated);
}

#[tokio::test(start_paused = true)]
async fn what_is_done_twice_without_a_key_is_undone_twice_and_both_are_shown() {
    let mut world = World::of(&format!("do: [{{ pay: {CAPTURE} }}]")).await;
    let run = world.start("act_1", order()).await;
    over(&world, &run).await;
    world.engine.restart_from(run.as_str(), "pay", false, "ops").await.unwrap();
    assert_eq!(over(&world, &run).await.status, RunStatus::Succeeded);
    world.dies_and_restarts().await;
    let effects = world.engine.effects(run.as_str()).await.unwrap();
    assert_eq!((effects.len(), stands(&world, "payments.capture")), (2, 2), "{effects:#?}");
    world.engine.undo(run.as_str(), false, "ops").await.unwrap();
    assert_eq!(over(&world, &run).await.status, RunStatus::Compensated);
    assert_eq!(stands(&world, "payments.capture"), 0);
    let mut refunded: Vec<_> =
        world.ledger.inputs("payments.refund").iter().map(|input| input["id"].to_string()).collect();
    refunded.dedup();
    assert_eq!(refunded.len(), 2, "each its own: {refunded:?}");
}

#[tokio::test(start_paused = true)]
async fn a_rollback_names_the_runs_that_steps_began() {
    let world = world(&format!("do: [{{ k: {{ run: child }} }}, {{ z: {CAPTURE} }}]")).await;
    world.ledger.fails_once("payments.capture", refused());
    let run = world.start("act_1", order()).await;
    let rollback = over(&world, &run).await.rollback.unwrap();
    assert_eq!((rollback.undone, rollback.not_undone), (vec!["k".to_owned()], Vec::new()));

    let world = world_that_cannot_refund().await;
    let run = world.start("act_1", order()).await;
    let rollback = world.until(&run, |view| view.status == RunStatus::Parked).await.rollback.unwrap();
    assert_eq!((rollback.undone, rollback.not_undone), (Vec::new(), vec!["k".to_owned()]));
}

async fn world_that_cannot_refund() -> World {
    let world = world(&format!("do: [{{ k: {{ run: child }} }}, {{ z: {CAPTURE} }}]")).await;
    world.ledger.fails_once("payments.capture", refused());
    world.ledger.fails("payments.refund", refused());
    world
}

/// The branch that loses asks for something, and its answer is lost after the other has won.
#[tokio::test(start_paused = true)]
async fn what_nobody_knows_of_a_loser_is_told() {
    let loser = "{ y: { call: payments.capture, compensate: none } }";
    for (b, unknown) in [(loser.to_owned(), "y"), ("{ k: { run: child } }".to_owned(), "k/y")] {
        let flow = format!(
            "do: [{{ f: {{ fork: {{ a: [{{ x: {{ call: crm.update, compensate: none }} }}], b: [{b}] }}, race: success }} }}]"
        );
        let world = World::with(&[("main", &flow), ("child", &format!("do: [{loser}]"))]).await;
        world.ledger.fails_once("payments.capture", lost());
        world.ledger.holds("payments.capture");
        world.ledger.holds("crm.update");
        let run = world.start("act_1", order()).await;
        world.called("payments.capture", 1).await;
        world.ledger.lets_go("crm.update");
        world
            .until(&run, |view| {
                view.steps.iter().any(|step| step.path == "x" && step.status == StepStatus::Succeeded)
            })
            .await;
        world.ledger.lets_go("payments.capture");
        let view = world.until(&run, |view| view.status == RunStatus::Parked).await;
        assert_eq!(view.unknown.as_deref(), Some(unknown), "{view:#?}");
        let said = world.said.said.lock();
        let last = said.iter().rev().find_map(|said| said.change.clone());
        assert!(matches!(last, Some(Change::Unknown { .. })), "{last:?}");
    }
}

/// A run that is paused for a step which then loses its race goes on.
#[tokio::test(start_paused = true)]
async fn a_doubt_of_a_loser_does_not_keep_the_winner() {
    let flow = format!(
        "do: [{{ f: {{ fork: {{ a: [{{ x: {CHARGE} }}], b: [{{ y: {CAPTURE} }}] }}, race: success }} }}, {{ z: {{ call: orders.create, compensate: none }} }}]"
    );
    let world = World::of(&flow).await;
    world.ledger.fails_once("payments.capture", lost());
    world.ledger.holds("payments.charge");
    let run = world.start("act_1", order()).await;
    world.until(&run, |view| view.status == RunStatus::Paused).await;
    world.ledger.lets_go("payments.charge");
    world.called("orders.create", 1).await;
    let view = world.until(&run, |view| view.status == RunStatus::Parked).await;
    assert_eq!((view.unknown.as_deref(), world.ledger.count("orders.create")), (Some("y"), 1), "{view:#?}");
    world.engine.settle(run.as_str(), "y", None, "ops").await.unwrap();
    assert_eq!(world.until(&run, |view| view.status.is_ended()).await.status, RunStatus::Succeeded);
}

#[tokio::test(start_paused = true)]
async fn only_the_step_that_is_named_is_sent_again() {
    let fork = "do: [{ f: { fork: { a: [{ x: { call: payments.capture, with: { n: 1 }, compensate: none } }], b: [{ y: { call: payments.capture, with: { n: 2 }, compensate: none } }] } } }]";
    let world = World::of(fork).await;
    world.ledger.fails("payments.capture", lost());
    let run = world.start("act_1", order()).await;
    world
        .until(&run, |view| view.steps.iter().filter(|step| step.status == StepStatus::Unknown).count() == 2)
        .await;
    world.ledger.mended("payments.capture");
    let none = world.engine.send_again(run.as_str(), "f", "ops").await.unwrap_err();
    assert_eq!(none.code(), "flow.status", "{none}");
    world.engine.send_again(run.as_str(), "x", "ops").await.unwrap();
    let view = world
        .until(&run, |view| {
            view.steps.iter().any(|step| step.path == "x" && step.status == StepStatus::Succeeded)
        })
        .await;
    assert_eq!((view.status, view.unknown.as_deref()), (RunStatus::Paused, Some("y")), "{view:#?}");
    assert_eq!(view.decisions.last().unwrap().step.as_deref(), Some("x"));
    assert_eq!(world.ledger.inputs("payments.capture").len(), 3, "each once, and the one again");
}

/// Under a key of another form the system would take it for a new one.
#[tokio::test(start_paused = true)]
async fn what_is_out_when_the_form_of_its_key_is_changed_is_not_sent_again() {
    let pays = "do: [{ pay: { call: payments.charge, compensate: none, retry: { attempts: 5, wait: 1h } } }]";
    for waits in [false, true] {
        let mut world = World::of(pays).await;
        match waits {
            true => world.ledger.fails_once("payments.charge", lost()),
            false => world.ledger.holds("payments.charge"),
        }
        let run = world.start("act_1", order()).await;
        world.called("payments.charge", 1).await;
        if waits {
            world.until(&run, |view| view.blocked_on.as_ref().is_some_and(|on| on.reason == "retry")).await;
        }
        world.ledger.lacks("key payments.charge");
        world.dies_and_restarts().await;
        world.ledger.lets_go("payments.charge");
        let view = world.until(&run, |view| view.status == RunStatus::Paused).await;
        assert_eq!(view.unknown.as_deref(), Some("pay"), "{waits}: {view:#?}");
        assert_eq!(world.ledger.keys("payments.charge").len(), 1, "{waits}");
        // What begins now is sent as it is configured now.
        let next = world.start("act_2", order()).await;
        assert_eq!(over(&world, &next).await.status, RunStatus::Succeeded);
    }
}
