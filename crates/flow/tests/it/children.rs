//! Runs that runs begin are undone with them: at their place, once, through every crash, and down to their own children.

use flow::{Landing, RunView, StepStatus};
use port::{Fault, Kind, Landed};
use store::{RunFilter, RunStatus};

use crate::world::{PATIENCE, World, at_each_write, eventually, order};

const CHILD: &str = "{ result: '${ steps.c.id }', do: [{ c: { call: payments.charge, on_exhausted: compensate, compensate: { call: payments.refund, with: { id: '${ result.id }' } } } }] }";

/// Reserves, runs a child in this way, and creates an order.
fn parent(child: &str) -> String {
    format!(
        "{{ do: [{{ r: {{ call: inventory.reserve, compensate: {{ call: inventory.release, with: {{ id: '${{ result.id }}' }} }} }} }}, {{ kid: {child} }}, {{ z: {{ call: orders.create, on_exhausted: compensate, compensate: {{ call: orders.cancel, with: {{ id: '${{ result.id }}' }} }} }} }}] }}"
    )
}

fn refused() -> Fault {
    Fault::new(Kind::Refused, Landed::No, "no")
}

async fn children(world: &World) -> Vec<store::RunRow> {
    let filter = RunFilter { flow: Some("child".into()), ..RunFilter::default() };
    world.store.runs(&filter).await.unwrap()
}

fn undo<'a>(view: &'a RunView, path: &str) -> &'a flow::StepView {
    view.compensation.iter().find(|step| step.path == path).unwrap_or_else(|| panic!("{view:#?}"))
}

#[tokio::test(start_paused = true)]
async fn a_child_is_undone_at_its_place_through_every_crash() {
    let flow = parent("{ run: child }");
    at_each_write(
        &[("main", &flow), ("child", CHILD)],
        |world| world.ledger.fails("orders.create", refused()),
        |world, view| {
            assert_eq!(view.status, RunStatus::Compensated, "{view:#?}");
            let wanted = ["inventory.reserve", "payments.charge", "payments.refund", "inventory.release"];
            assert_eq!(world.ledger.effects(), wanted);
            assert_eq!(undo(view, "kid/undo").status, StepStatus::Compensated);
        },
    )
    .await;
}

/// A child that could not even begin has ended: whoever cancels its parent, which waits for a person, need not wait for it.
#[tokio::test(start_paused = true)]
async fn a_parent_that_waits_because_of_its_childs_fault_can_be_cancelled_or_restarted() {
    let faulty = "{ do: [{ set: { x: '${ entity.none.there }' } }] }";
    let world = World::with(&[("main", &parent("{ run: child }")), ("child", faulty)]).await;
    let waits = |view: &RunView| view.blocked_on.as_ref().is_some_and(|on| on.reason == "expression");
    let run = world.start("act_1", order()).await;
    world.until(&run, waits).await;
    world.engine.restart_from(run.as_str(), "kid", false, "ops").await.unwrap();
    world.until(&run, waits).await;
    assert_eq!(children(&world).await.len(), 2);
    world.engine.cancel(run.as_str(), "ops").await.unwrap();
    assert_eq!(world.engine.wait(run.as_str(), PATIENCE).await.unwrap().status, RunStatus::Cancelled);
    assert_eq!(world.ledger.effects(), ["inventory.reserve", "inventory.release"]);
}

/// Restarted, a step does what it did under the same keys: what its child has done is done, and undone once.
#[tokio::test(start_paused = true)]
async fn a_restart_begins_no_second_child_while_the_first_stands() {
    let flow = parent("{ run: child }");
    let world = World::with(&[("main", &flow), ("child", CHILD)]).await;
    let run = world.start("act_1", order()).await;
    let ends = async || world.engine.wait(run.as_str(), PATIENCE).await.unwrap().status;
    assert_eq!(ends().await, RunStatus::Succeeded);
    world.engine.restart_from(run.as_str(), "kid", false, "ops").await.unwrap();
    assert_eq!(ends().await, RunStatus::Succeeded);
    assert_eq!((children(&world).await.len(), world.ledger.count("payments.charge")), (1, 1));
    world.engine.undo(run.as_str(), false, "ops").await.unwrap();
    world.until(&run, |view| view.status == RunStatus::Compensated).await;
    assert_eq!((children(&world).await.len(), world.ledger.count("payments.refund")), (1, 1));
    world.engine.restart_from(run.as_str(), "kid", false, "ops").await.unwrap();
    assert_eq!(ends().await, RunStatus::Succeeded);
    assert_eq!((children(&world).await.len(), world.ledger.count("payments.charge")), (2, 2));
}

/// What it was begun for is done, only a loser of its race is left to a person: it stands, and is undone with its parent.
#[tokio::test(start_paused = true)]
async fn a_child_whose_loser_was_settled_stands_and_is_undone_with_its_parent() {
    let lost = "{ c: { call: payments.charge, compensate: { call: payments.refund } } }, { w: { wait: 1h } }";
    let child = format!(
        "{{ do: [{{ s: {{ call: inventory.reserve, compensate: {{ call: inventory.release }} }} }}, {{ fork: {{ a: [{lost}], b: [{{ n: {{ wait: 10s }} }}] }}, race: first }}] }}"
    );
    for fails in [false, true] {
        let parent = match fails {
            false => "{ do: [{ kid: { run: child } }] }".to_owned(),
            true => "{ do: [{ kid: { run: child } }, { raise: { code: no, message: no } }] }".to_owned(),
        };
        let world = World::with(&[("main", &parent), ("child", &child)]).await;
        world.ledger.fails("payments.refund", refused());
        let run = world.start("act_1", order()).await;
        eventually("it is parked", async || {
            let found = children(&world).await.pop()?;
            (found.status == RunStatus::Parked).then_some(())
        })
        .await;
        let kid = children(&world).await.remove(0).id;
        world.engine.settle(&kid, "c/undo", Some(serde_json::Value::Null), "ops").await.unwrap();
        let wanted = if fails { RunStatus::Compensated } else { RunStatus::Succeeded };
        let view = world.until(&run, |view| view.status == wanted).await;
        assert_eq!(world.ledger.count("inventory.release"), usize::from(fails), "{view:#?}");
        if !fails {
            assert_eq!(view.steps[0].status, StepStatus::Succeeded);
            world.engine.undo(run.as_str(), false, "ops").await.unwrap();
            world.until(&run, |view| view.status == RunStatus::Compensated).await;
        }
        assert_eq!(world.ledger.count("inventory.release"), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn each_child_of_a_loop_a_race_and_a_fork_is_undone() {
    let flows = [
        "{ for: { in: '${ entity.items }' }, run: child }".to_owned(),
        "{ fork: { a: [{ ka: { run: child } }], b: [{ kb: { run: child } }] } }".to_owned(),
        "{ fork: { a: [{ ka: { run: child } }], b: [{ kb: { run: child } }] }, race: success }".to_owned(),
        "{ try: [{ kt: { run: child } }], retry: { attempts: 2, wait: 10ms } }".to_owned(),
    ];
    for child in flows {
        at_each_write(
            &[("main", &parent(&child)), ("child", CHILD)],
            |world| world.ledger.fails("orders.create", refused()),
            |world, view| {
                assert_eq!(view.status, RunStatus::Compensated, "{child}: {view:#?}");
                let left = world.ledger.count("payments.charge") - world.ledger.count("payments.refund");
                assert_eq!(left, 0, "{child}: {:?}", world.ledger.effects());
                assert_eq!(world.ledger.count("inventory.release"), 1, "{child}");
            },
        )
        .await;
    }
}

/// Who looks for what became of an order finds what the runs below did for it, whatever they are about.
#[tokio::test(start_paused = true)]
async fn the_effects_of_a_child_are_those_of_the_entity_above() {
    let grand = "{ do: [{ c: { call: payments.charge, compensate: none } }] }";
    let child = "{ do: [{ own: { run: other, with: { id: 'line-1' } } }] }";
    let world = World::with(&[
        ("main", &parent("{ run: child, with: { id: 'item-1' } }")),
        ("child", child),
        ("other", grand),
    ])
    .await;
    assert_eq!(world.runs(order()).await.status, RunStatus::Succeeded);
    let below = RunFilter { flow: Some("other".into()), ..RunFilter::default() };
    let below = world.store.runs(&below).await.unwrap().remove(0);
    let effects = world.engine.effects(&below.id).await.unwrap();
    assert_eq!(
        (effects[0].entity.as_deref(), effects[0].root_entity.as_deref()),
        (Some("line-1"), Some("order-1")),
        "{effects:#?}"
    );
}

/// The loser's child is undone, the winner's stands.
#[tokio::test(start_paused = true)]
async fn a_child_that_loses_a_race_is_undone() {
    let race = "{ fork: { a: [{ ka: { run: child } }], b: [{ kb: { call: crm.update, compensate: none }}] }, race: true }";
    at_each_write(
        &[("main", &parent(race)), ("child", CHILD)],
        |_| (),
        |world, view| {
            assert_eq!(view.status, RunStatus::Succeeded, "{view:#?}");
            let stands = world.ledger.count("payments.charge") - world.ledger.count("payments.refund");
            let won = view.steps.iter().any(|step| step.path == "ka" && step.status == StepStatus::Succeeded);
            assert_eq!(stands, usize::from(won), "{view:#?}");
        },
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_child_can_be_left_or_undone_by_a_call() {
    let cases = [
        ("{ run: child, compensate: none }", 0, 0),
        ("{ run: child, compensate: { call: crm.revert, with: { id: '${ result }' } } }", 0, 1),
    ];
    for (child, refunds, reverts) in cases {
        let world = World::with(&[("main", &parent(child)), ("child", CHILD)]).await;
        world.ledger.fails("orders.create", refused());
        let view = world.runs(order()).await;
        assert_eq!(view.status, RunStatus::Compensated, "{view:#?}");
        let did = (world.ledger.count("payments.refund"), world.ledger.count("crm.revert"));
        assert_eq!(did, (refunds, reverts));
    }
}

/// It is sent under a key of its own, and nothing else in the ledger stands for it.
#[tokio::test(start_paused = true)]
async fn the_call_that_undoes_a_child_is_in_the_ledger_of_effects() {
    let child = "{ run: child, compensate: { call: crm.revert, with: { id: '${ result }' } } }";
    for (fault, outcome) in [(None, Landing::Landed), (Some(refused()), Landing::DidNotLand)] {
        let world = World::with(&[("main", &parent(child)), ("child", CHILD)]).await;
        world.ledger.fails("orders.create", refused());
        if let Some(fault) = fault {
            world.ledger.fails("crm.revert", fault);
        }
        let run = world.start("act_1", order()).await;
        world.until(&run, |view| view.status.is_ended() || view.status == RunStatus::Parked).await;
        let effects = world.engine.effects(run.as_str()).await.unwrap();
        let undo = effects.iter().find(|effect| effect.operation == "revert");
        let undo = undo.unwrap_or_else(|| panic!("{effects:#?}"));
        assert_eq!((undo.step.as_str(), undo.system.as_str(), undo.outcome), ("kid/undo", "crm", outcome));
        assert_eq!(undo.key, world.ledger.keys("crm.revert")[0]);
        assert!(undo.sent.is_some() && undo.undo.is_none(), "{undo:#?}");
    }
    let world = World::with(&[("main", &parent("{ run: child }")), ("child", CHILD)]).await;
    world.ledger.fails("orders.create", refused());
    let run = world.start("act_1", order()).await;
    world.until(&run, |view| view.status == RunStatus::Compensated).await;
    let effects = world.engine.effects(run.as_str()).await.unwrap();
    assert!(effects.iter().all(|effect| effect.step != "kid/undo"), "it undoes itself: {effects:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_child_that_cannot_be_undone_parks_its_parent_until_it_is() {
    let world = World::with(&[("main", &parent("{ run: child }")), ("child", CHILD)]).await;
    world.ledger.fails("orders.create", refused());
    world.ledger.fails("payments.refund", refused());
    let run = world.start("act_1", order()).await;
    let view = world.engine.wait(run.as_str(), PATIENCE).await.unwrap();
    assert_eq!(view.status, RunStatus::Parked, "{view:#?}");
    assert_eq!(undo(&view, "kid/undo").status, StepStatus::Parked);
    assert_eq!(world.ledger.count("inventory.release"), 1, "the others go on");
    assert_eq!(children(&world).await[0].status, RunStatus::Parked);
    world.ledger.mended("payments.refund");
    world.engine.replay_dead(&world.dead().await.id, false, "ops").await.unwrap();
    let view = world.until(&run, |view| view.status == RunStatus::Compensated).await;
    assert_eq!(undo(&view, "kid/undo").status, StepStatus::Compensated);
}

/// The child's last word is written and nobody was told.
#[tokio::test(start_paused = true)]
async fn a_parent_that_was_down_hears_that_its_child_is_undone() {
    let mut world = World::with(&[("main", &parent("{ run: child }")), ("child", CHILD)]).await;
    world.ledger.fails("orders.create", refused());
    world.ledger.fails("payments.refund", refused());
    let run = world.start("act_1", order()).await;
    world.engine.wait(run.as_str(), PATIENCE).await.unwrap();
    let child = children(&world).await[0].id.clone();
    world.dies_and_restarts().await;
    world.ledger.mended("payments.refund");
    // The run's end is the third entry: replayed, compensated, ended.
    world.crash.after(3);
    let letter = world.dead().await.id;
    let _dies = world.engine.replay_dead(&letter, false, "ops").await;
    world.until(&flow::RunId::from(child.as_str()), |view| view.status == RunStatus::Compensated).await;
    world.dies_and_restarts().await;
    world.until(&run, |view| view.status == RunStatus::Compensated).await;
}

#[tokio::test(start_paused = true)]
async fn a_child_that_parked_is_parked_for_its_parent() {
    let child = "{ do: [{ c: { call: payments.charge, compensate: { call: payments.refund } } }, { d: { call: crm.update, on_exhausted: compensate, compensate: none } }] }";
    let world = World::with(&[("main", &parent("{ run: child }")), ("child", child)]).await;
    world.ledger.fails("crm.update", refused());
    world.ledger.fails("payments.refund", refused());
    let run = world.start("act_1", order()).await;
    let view = world.engine.wait(run.as_str(), PATIENCE).await.unwrap();
    assert_eq!(view.status, RunStatus::Parked, "{view:#?}");
    world.ledger.mended("payments.refund");
    world.engine.replay_dead(&world.dead().await.id, false, "ops").await.unwrap();
    world.until(&run, |view| view.status == RunStatus::Compensated).await;
}

/// Children of children; a cancel while the undoing waits for them changes nothing but the name of the end.
#[tokio::test(start_paused = true)]
async fn undoing_goes_down_to_the_last_child() {
    let middle =
        "{ do: [{ deep: { run: child } }, { m: { call: crm.update, compensate: { call: crm.revert } } }] }";
    let flow = parent("{ run: middle }");
    at_each_write(
        &[("main", &flow), ("middle", middle), ("child", CHILD)],
        |world| world.ledger.fails("orders.create", refused()),
        |world, view| {
            assert_eq!(view.status, RunStatus::Compensated, "{view:#?}");
            let effects = world.ledger.effects();
            assert_eq!(effects[3..], ["crm.revert", "payments.refund", "inventory.release"], "{effects:?}");
        },
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_parent_shows_which_child_it_waits_for_and_can_be_paused_meanwhile() {
    let world = World::with(&[("main", &parent("{ run: child }")), ("child", CHILD)]).await;
    world.ledger.fails("orders.create", refused());
    world.ledger.holds("payments.refund");
    let run = world.start("act_1", order()).await;
    world.called("payments.refund", 1).await;
    let view = world.engine.view(run.as_str()).await.unwrap();
    let child = children(&world).await[0].id.clone();
    assert_eq!(view.status, RunStatus::Compensating);
    let waits = view.blocked_on.clone().unwrap();
    assert_eq!(
        (waits.step.as_deref(), waits.on),
        (Some("kid/undo"), Some(serde_json::json!({ "run": child })))
    );
    world.engine.pause(run.as_str(), "ops").await.unwrap();
    assert!(
        world.engine.restart_from(run.as_str(), "kid", false, "ops").await.is_err(),
        "its child is being undone"
    );
    world.ledger.lets_go("payments.refund");
    let held = |view: &RunView| view.compensation.iter().any(|step| step.path == "r/undo");
    world.until(&run, held).await;
    assert_eq!(world.ledger.count("inventory.release"), 0);
    world.engine.resume(run.as_str(), false, "ops").await.unwrap();
    assert_eq!(world.engine.wait(run.as_str(), PATIENCE).await.unwrap().status, RunStatus::Compensated);
}

#[tokio::test(start_paused = true)]
async fn a_child_of_an_earlier_version_is_left() {
    let world = World::with(&[("main", &parent("{ run: child }")), ("child", CHILD)]).await;
    world.ledger.fails("orders.create", refused());
    let (run, mut batch) = world.begin("act_1", order());
    let started = &mut batch.appends[0].events[0];
    let mut journal: serde_json::Value = serde_json::from_slice(&started.data).unwrap();
    journal.as_object_mut().unwrap().remove("language").unwrap();
    started.data = serde_json::to_vec(&journal).unwrap();
    world.store.commit(batch).await.unwrap();
    world.engine.committed(&[flow::RunId::from(run.as_str())]);
    let view = world.engine.wait(run.as_str(), PATIENCE).await.unwrap();
    assert_eq!((view.status, world.ledger.count("payments.refund")), (RunStatus::Compensated, 0));
}

/// A run that is taken as it begins has sent nothing before: what its system refuses then is refused, at once.
#[tokio::test(start_paused = true)]
async fn a_refusal_of_the_first_call_of_a_child_is_no_doubt() {
    let child = "do: [{ c: { call: orders.create, compensate: none } }]";
    let world = World::with(&[("main", "do: [{ kid: { run: child } }]"), ("child", child)]).await;
    world.ledger.fails_once("orders.create", Fault::new(Kind::Refused, Landed::No, "no"));
    let view = world.runs(order()).await;
    assert_eq!((view.status, world.ledger.keys("orders.create").len()), (RunStatus::Failed, 1), "{view:#?}");
}
