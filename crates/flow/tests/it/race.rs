//! Races: what losers have done is undone beside what goes on, and only the end of the run waits for that.

use flow::{RunView, StepStatus};
use port::{Fault, Kind, Landed};
use serde_json::json;
use store::RunStatus;

use crate::world::{PATIENCE, World, at_each_write, order};

const RESERVE: &str = "{ call: inventory.reserve, on_exhausted: compensate, compensate: { call: inventory.release, with: { id: '${ result.id }' } } }";
const CHARGE: &str = "{ call: payments.charge, on_exhausted: compensate, compensate: { call: payments.refund, with: { id: '${ result.id }' } } }";

/// Reserving against charging, and what comes after.
fn race(how: &str, after: &str) -> String {
    format!(
        "{{ do: [{{ f: {{ fork: {{ a: [{{ x: {RESERVE} }}], b: [{{ y: {CHARGE} }}] }}, {how} }} }}, {after}] }}"
    )
}

fn refused() -> Fault {
    Fault::new(Kind::Refused, Landed::No, "no")
}

/// No step of a run that has ended is going on.
fn is_quiet(view: &RunView) {
    let going =
        view.steps.iter().filter(|step| matches!(step.status, StepStatus::Running | StepStatus::Waiting));
    assert_eq!(going.count(), 0, "{view:#?}");
}

const NEXT: &str = "{ z: { call: orders.create, on_exhausted: compensate, compensate: { call: orders.cancel, with: { id: '${ result.id }' } } } }";

#[tokio::test(start_paused = true)]
async fn a_loser_whose_call_is_out_is_undone_beside_what_goes_on() {
    let world = World::of(&race("race: first", NEXT)).await;
    world.ledger.holds("payments.charge");
    let run = world.start("act_1", order()).await;
    world.called("orders.create", 1).await;
    let waits = |view: &RunView| view.blocked_on.as_ref().is_some_and(|on| on.reason == "race_losers");
    let view = world.until(&run, waits).await;
    assert_eq!(view.blocked_on.unwrap().step.as_deref(), Some("y"));
    world.ledger.lets_go("payments.charge");
    let view = world.engine.wait(run.as_str(), PATIENCE).await.unwrap();
    assert_eq!(view.status, RunStatus::Succeeded, "{view:#?}");
    is_quiet(&view);
    assert_eq!(world.ledger.count("payments.charge"), 1);
    assert_eq!(world.ledger.inputs("payments.refund").len(), 1);
    assert_eq!(world.ledger.count("inventory.release"), 0, "the winner stands");
}

/// Whoever wins, one of the two stands and the other is undone.
#[tokio::test(start_paused = true)]
async fn a_crash_at_each_write_leaves_the_winner_alone() {
    for how in ["race: true", "race: success"] {
        let flow = race(how, NEXT);
        at_each_write(
            &[("main", &flow)],
            |_| (),
            |world, view| {
                assert_eq!(view.status, RunStatus::Succeeded, "{view:#?}");
                is_quiet(view);
                let stands = |did: &str, undid: &str| world.ledger.count(did) - world.ledger.count(undid);
                let (reserved, charged) = (
                    stands("inventory.reserve", "inventory.release"),
                    stands("payments.charge", "payments.refund"),
                );
                assert_eq!(
                    (reserved + charged, stands("orders.create", "orders.cancel")),
                    (1, 1),
                    "{view:#?}"
                );
            },
        )
        .await;
    }
}

/// The run fails while a loser is still out, or after it was undone: everything is undone, once.
#[tokio::test(start_paused = true)]
async fn a_later_failure_undoes_winner_and_losers() {
    let flow = race("race: first", NEXT);
    at_each_write(
        &[("main", &flow)],
        |world| world.ledger.fails("orders.create", refused()),
        |world, view| {
            assert_eq!(view.status, RunStatus::Compensated, "{view:#?}");
            is_quiet(view);
            assert_eq!(world.ledger.count("inventory.reserve"), world.ledger.count("inventory.release"));
            assert_eq!(world.ledger.count("payments.charge"), world.ledger.count("payments.refund"));
        },
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_failed_branch_decides_no_race_for_a_success() {
    let world = World::of(&race("race: success", NEXT)).await;
    world.ledger.fails("inventory.reserve", refused());
    let view = world.runs(order()).await;
    assert_eq!(view.status, RunStatus::Succeeded, "{view:#?}");
    assert_eq!(world.ledger.effects(), ["payments.charge", "orders.create"]);
    let world = World::of(&race("race: success", NEXT)).await;
    world.ledger.holds("payments.charge");
    world.ledger.fails("inventory.reserve", refused());
    let run = world.start("act_1", order()).await;
    world.called("inventory.reserve", 1).await;
    world.called("payments.charge", 1).await;
    world.ledger.fails("payments.charge", Fault::new(Kind::Refused, Landed::No, "declined"));
    world.ledger.lets_go("payments.charge");
    let view = world.engine.wait(run.as_str(), PATIENCE).await.unwrap();
    assert_eq!(view.status, RunStatus::Succeeded, "what was out has landed: {view:#?}");
}

#[tokio::test(start_paused = true)]
async fn when_all_fail_the_last_error_is_raised() {
    let flow = r#"
do:
  - f:
      fork: { a: [{ x: { raise: { code: first, message: no } } }], b: [{ nap: { wait: 20ms } }, { y: { raise: { code: second, message: no } } }] }
      race: success
"#;
    let world = World::of(flow).await;
    let view = world.runs(order()).await;
    assert_eq!((view.status, view.error.clone().unwrap().code.as_str()), (RunStatus::Failed, "second"));
    is_quiet(&view);
}

#[tokio::test(start_paused = true)]
async fn losers_may_be_kept_and_are_undone_with_the_run() {
    for (fails, wanted) in [(false, 0), (true, 1)] {
        let world = World::of(&race("race: first, losers: keep", NEXT)).await;
        world.ledger.holds("payments.charge");
        if fails {
            world.ledger.fails("orders.create", refused());
        }
        let run = world.start("act_1", order()).await;
        world.called("orders.create", 1).await;
        world.ledger.lets_go("payments.charge");
        let view = world.engine.wait(run.as_str(), PATIENCE).await.unwrap();
        assert_eq!(view.status, if fails { RunStatus::Compensated } else { RunStatus::Succeeded });
        assert_eq!(
            (world.ledger.count("payments.charge"), world.ledger.count("payments.refund")),
            (1, wanted)
        );
    }
}

/// A race that a failure decides: who catches the error does not take over what the others did.
#[tokio::test(start_paused = true)]
async fn a_caught_failure_undoes_the_other_branches() {
    let flow = format!(
        "{{ do: [{{ t: {{ try: [{{ f: {{ fork: {{ a: [{{ x: {RESERVE} }}, {{ nap: {{ wait: 1h }} }}], b: [{{ y: {CHARGE} }}] }}, race: first }} }}], catch: {{ do: [{NEXT}] }} }} }}] }}"
    );
    at_each_write(
        &[("main", &flow)],
        |world| world.ledger.fails("payments.charge", refused()),
        |world, view| {
            assert_eq!(view.status, RunStatus::Succeeded, "{view:#?}");
            is_quiet(view);
            assert_eq!(world.ledger.count("inventory.reserve"), world.ledger.count("inventory.release"));
            assert_eq!((world.ledger.count("orders.create"), world.ledger.count("orders.cancel")), (1, 0));
        },
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_race_in_a_loop_undoes_the_loser_of_each_round() {
    let flow = format!(
        "{{ do: [{{ each: {{ for: {{ in: '${{ entity.items }}' }}, fork: {{ a: [{{ x: {RESERVE} }}], b: [{{ y: {CHARGE} }}] }}, race: success }} }}] }}"
    );
    at_each_write(
        &[("main", &flow)],
        |_| (),
        |world, view| {
            assert_eq!(view.status, RunStatus::Succeeded, "{view:#?}");
            let stands = |did: &str, undid: &str| world.ledger.count(did) - world.ledger.count(undid);
            let stand = stands("inventory.reserve", "inventory.release")
                + stands("payments.charge", "payments.refund");
            assert_eq!(stand, 2, "{view:#?}");
        },
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_cancelled_while_a_loser_is_out_undoes_both() {
    let world = World::of(&race("race: first", NEXT)).await;
    world.ledger.holds("payments.charge");
    let run = world.start("act_1", order()).await;
    world.until(&run, |view| view.blocked_on.as_ref().is_some_and(|on| on.reason == "race_losers")).await;
    world.engine.pause(run.as_str(), "ops").await.unwrap();
    world.engine.cancel(run.as_str(), "ops").await.unwrap();
    world.ledger.lets_go("payments.charge");
    let view = world.engine.wait(run.as_str(), PATIENCE).await.unwrap();
    assert_eq!(view.status, RunStatus::Cancelled, "{view:#?}");
    let undone = world.ledger.effects().split_off(3);
    assert_eq!(undone, ["payments.refund", "orders.cancel", "inventory.release"]);
}

#[tokio::test(start_paused = true)]
async fn a_paused_run_undoes_its_losers_when_it_is_resumed() {
    let mut world = World::of(&race("race: first", NEXT)).await;
    world.ledger.holds("payments.charge");
    let run = world.start("act_1", order()).await;
    world.called("orders.create", 1).await;
    world.engine.pause(run.as_str(), "ops").await.unwrap();
    world.ledger.lets_go("payments.charge");
    let held = |view: &RunView| view.compensation.iter().any(|undo| undo.status == StepStatus::Blocked);
    world.until(&run, held).await;
    world.dies_and_restarts().await;
    assert_eq!(world.ledger.count("payments.refund"), 0);
    world.engine.resume(run.as_str(), false, "ops").await.unwrap();
    let view = world.engine.wait(run.as_str(), PATIENCE).await.unwrap();
    assert_eq!((view.status, world.ledger.count("payments.refund")), (RunStatus::Succeeded, 1), "{view:#?}");
}

/// A loser that cannot be undone keeps the run from its end; what was wanted is told as done.
#[tokio::test(start_paused = true)]
async fn a_loser_that_cannot_be_undone_waits_for_a_person() {
    let world = World::of(&race("race: first", NEXT)).await;
    world.ledger.fails("payments.refund", refused());
    world.ledger.takes("payments.charge", std::time::Duration::from_millis(100));
    let run = world.start("act_1", order()).await;
    let view = world.engine.wait(run.as_str(), PATIENCE).await.unwrap();
    assert_eq!((view.status, view.error), (RunStatus::Parked, None));
    let told = world.said.said.lock().last().unwrap().change.clone();
    assert!(matches!(told, Some(conversation::Change::Success { .. })), "{told:?}");
    world.ledger.mended("payments.refund");
    world.engine.replay_dead(&world.dead().await.id, false, "ops").await.unwrap();
    world.until(&run, |view| view.status == RunStatus::Succeeded).await;
    assert_eq!(world.ledger.inputs("payments.refund"), [json!({ "id": "payments.charge#2" })]);
}

/// What a flow of 0.1.0 meant is what its live runs go on to mean: nothing of a loser was undone.
#[tokio::test(start_paused = true)]
async fn a_run_that_an_earlier_version_began_keeps_its_losers() {
    let world = World::of(&race("race: true", NEXT)).await;
    let (run, mut batch) = world.begin("act_1", order());
    let started = &mut batch.appends[0].events[0];
    let mut journal: serde_json::Value = serde_json::from_slice(&started.data).unwrap();
    journal.as_object_mut().unwrap().remove("language").unwrap();
    started.data = serde_json::to_vec(&journal).unwrap();
    world.store.commit(batch).await.unwrap();
    world.engine.committed(&[flow::RunId::from(run.as_str())]);
    let view = world.engine.wait(run.as_str(), PATIENCE).await.unwrap();
    assert_eq!(view.status, RunStatus::Succeeded);
    assert_eq!(world.ledger.count("payments.charge"), 1);
    assert_eq!(world.ledger.count("payments.refund") + world.ledger.count("inventory.release"), 0);
}

#[tokio::test(start_paused = true)]
async fn what_a_failure_stops_is_not_running_any_more() {
    let flow = format!(
        "{{ do: [{{ both: {{ fork: {{ a: [{{ x: {RESERVE} }}, {{ w: {{ wait: 1h }} }}], b: [{{ n: {{ wait: 50ms }} }}, {{ inner: {{ do: [{{ y: {CHARGE} }}] }} }}] }} }} }}] }}"
    );
    let world = World::of(&flow).await;
    world.ledger.fails("payments.charge", refused());
    let view = world.runs(order()).await;
    is_quiet(&view);
    let status = |path: &str| view.steps.iter().find(|step| step.path == path).unwrap().status;
    assert_eq!(
        (status("both"), status("inner"), status("w")),
        (StepStatus::Failed, StepStatus::Failed, StepStatus::Dropped)
    );
}

/// A loser's call that comes home without an answer is not made again, and does not keep the run for ever.
#[tokio::test(start_paused = true)]
async fn a_loser_that_would_be_tried_again_is_dropped_and_undone() {
    let slow = "{ pay: { call: payments.charge, timeout: 1s, compensate: { call: payments.refund, with: { id: 7 } } } }";
    let flow =
        format!("do: [{{ k: {{ fork: {{ a: [{slow}], b: [{{ w: {{ wait: 100ms }} }}] }}, race: true }} }}]");
    let world = World::of(&flow).await;
    world.ledger.fails("payments.charge", Fault::new(Kind::Timeout, Landed::Unknown, "no answer"));
    world.ledger.takes("payments.charge", std::time::Duration::from_millis(500));
    let run = world.start("act_1", order()).await;
    world.until(&run, |view| view.status == RunStatus::Succeeded).await;
    assert_eq!((world.ledger.count("payments.charge"), world.ledger.count("payments.refund")), (1, 1));
}

/// The loser goes on and begins a run in the turn in which the race is decided: that run is cancelled.
#[tokio::test(start_paused = true)]
async fn a_run_begun_in_the_turn_that_decides_its_race_is_stopped() {
    let flow = format!(
        "{{ do: [{{ f: {{ fork: {{ a: [{{ pay: {{ call: payments.capture, compensate: none }} }}], b: [{{ gate: {{ listen: {{ signal: go }} }} }}, {{ kid: {{ run: child }} }}] }}, race: true }} }}, {NEXT}] }}"
    );
    let child = format!("{{ do: [{{ x: {RESERVE} }}] }}");
    let world = World::with(&[("main", &flow), ("child", &child)]).await;
    world.ledger.fails("payments.capture", Fault::new(Kind::Timeout, Landed::Unknown, "nobody knows"));
    let run = world.start("act_1", order()).await;
    world.until(&run, |view| view.status == RunStatus::Paused).await;
    world.signal(&run, "go", "s", json!(null)).await;
    world.engine.settle(run.as_str(), "pay", Some(json!({ "id": 1 })), "ops").await.unwrap();
    let view = world.engine.wait(run.as_str(), PATIENCE).await.unwrap();
    assert_eq!(view.status, RunStatus::Succeeded, "{view:#?}");
    let standing = world.ledger.count("inventory.reserve") - world.ledger.count("inventory.release");
    assert_eq!(standing, 0, "what the loser's run did is undone: {:?}", world.ledger.effects());
}

/// What is done again after a restart takes nobody's place while a loser is being undone beside it.
#[tokio::test(start_paused = true)]
async fn what_a_restart_does_again_is_not_taken_for_the_loser_that_is_undone_beside_it() {
    let world = World::of(&race("race: first", NEXT)).await;
    world.ledger.holds("payments.charge");
    let run = world.start("act_1", order()).await;
    world.called("orders.create", 1).await;
    world.ledger.lets_go("payments.charge");
    world.until(&run, |view| view.status == RunStatus::Succeeded).await;
    let held = ["payments.charge", "payments.refund", "orders.create"];
    held.iter().for_each(|operation| world.ledger.holds(operation));
    world.engine.restart_from(run.as_str(), "f", false, "ops").await.unwrap();
    world.called("orders.create", 2).await;
    world.ledger.lets_go("payments.charge");
    world.called("payments.refund", 2).await;
    world.ledger.lets_go("orders.create");
    let is_done = |view: &RunView| {
        view.steps.iter().any(|step| step.path == "z" && step.status == StepStatus::Succeeded)
    };
    world.until(&run, is_done).await;
    world.ledger.lets_go("payments.refund");
    let view = world.until(&run, |view| view.status == RunStatus::Succeeded).await;
    assert!(is_done(&view), "{view:#?}");
    world.engine.undo(run.as_str(), false, "ops").await.unwrap();
    world.until(&run, |view| view.status == RunStatus::Compensated).await;
    assert_eq!((world.ledger.count("orders.cancel"), world.ledger.count("payments.refund")), (1, 2));
}
