//! What people decide while a call is out, or twice, makes nothing happen twice.

use port::{Fault, Kind, Landed};
use store::{DeadFilter, DeadLetter, DeadState, RunStatus};

use crate::world::{PATIENCE, World, order};

/// Acts each time it is called.
const CAPTURE: &str = "do: [{ pay: { call: payments.capture, compensate: none } }]";

fn away() -> Fault {
    Fault::new(Kind::Unavailable, Landed::No, "away")
}

async fn letter(world: &World) -> DeadLetter {
    world.store.dead(&DeadFilter::default()).await.unwrap().remove(0)
}

/// A run that waits for a person: its system was away once.
async fn stuck(world: &World) -> flow::RunId {
    world.ledger.fails_once("payments.capture", away());
    let run = world.start("act_1", order()).await;
    world.until(&run, |view| view.status == RunStatus::Paused).await;
    run
}

#[tokio::test(start_paused = true)]
async fn a_step_whose_outcome_is_unknown_is_verified_after_a_pause() {
    let world = World::of(
        "do: [{ pay: { call: payments.capture, compensate: none, verify: { call: payments.find } } }]",
    )
    .await;
    world.ledger.fails_once("payments.capture", Fault::new(Kind::Timeout, Landed::Unknown, "no answer"));
    world.ledger.holds("payments.capture");
    let run = world.start("act_1", order()).await;
    world.called("payments.capture", 1).await;
    world.engine.pause(run.as_str(), "ops").await.unwrap();
    world.ledger.lets_go("payments.capture");
    world.until(&run, |view| view.steps[0].error.is_some()).await;
    assert_eq!(world.ledger.count("payments.find"), 0, "nothing is begun in a paused run");
    world.engine.resume(run.as_str(), false, "ops").await.unwrap();
    let view = world.engine.wait(run.as_str(), PATIENCE).await.unwrap();
    assert_eq!(view.status, RunStatus::Succeeded);
    assert_eq!(world.ledger.effects(), ["payments.capture", "payments.find"]);
}

#[tokio::test(start_paused = true)]
async fn a_letter_ends_when_its_step_is_resumed() {
    let world = World::of(CAPTURE).await;
    let run = stuck(&world).await;
    let id = letter(&world).await.id;
    world.ledger.holds("payments.capture");
    world.engine.resume(run.as_str(), false, "ops").await.unwrap();
    world.called("payments.capture", 2).await;
    assert_eq!(letter(&world).await.state, DeadState::Replayed);
    assert!(world.engine.replay_dead(&id, false, "ops").await.is_err(), "its call is out");
    world.ledger.lets_go("payments.capture");
    let view = world.engine.wait(run.as_str(), PATIENCE).await.unwrap();
    assert_eq!((view.status, world.ledger.count("payments.capture")), (RunStatus::Succeeded, 1));
}

#[tokio::test(start_paused = true)]
async fn a_letter_ends_when_its_run_is_cancelled_or_begun_again() {
    for restarted in [true, false] {
        let world = World::of(CAPTURE).await;
        let run = stuck(&world).await;
        let state = match restarted {
            true => world
                .engine
                .restart_from(run.as_str(), "pay", false, "ops")
                .await
                .map(|()| DeadState::Replayed),
            false => world.engine.cancel(run.as_str(), "ops").await.map(|()| DeadState::Discarded),
        };
        world.engine.wait(run.as_str(), PATIENCE).await.unwrap();
        assert_eq!(Ok(letter(&world).await.state), state);
    }
}

/// Its run has ended without it: the letter stays until somebody discards it.
#[tokio::test(start_paused = true)]
async fn a_letter_that_nobody_waits_for_is_not_replayed() {
    let world = World::of("{ on_exhausted: fail, do: [{ pay: { call: payments.charge } }] }").await;
    world.ledger.fails_once("payments.charge", away());
    world.runs(order()).await;
    let id = letter(&world).await.id;
    let refused = world.engine.replay_dead(&id, false, "ops").await.unwrap_err();
    assert_eq!(refused.code(), "flow.status", "{refused}");
    assert_eq!(letter(&world).await.state, DeadState::Open);
    world.engine.discard_dead(&id).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_run_is_not_restarted_while_a_call_is_out() {
    let world = World::of(CAPTURE).await;
    world.ledger.holds("payments.capture");
    let run = world.start("act_1", order()).await;
    world.called("payments.capture", 1).await;
    world.engine.pause(run.as_str(), "ops").await.unwrap();
    let refused = world.engine.restart_from(run.as_str(), "pay", false, "ops").await.unwrap_err();
    assert_eq!(refused.code(), "flow.status", "{refused}");
    world.engine.resume(run.as_str(), false, "ops").await.unwrap();
    world.ledger.lets_go("payments.capture");
    let view = world.engine.wait(run.as_str(), PATIENCE).await.unwrap();
    assert_eq!((view.status, world.ledger.count("payments.capture")), (RunStatus::Succeeded, 1));
}

#[tokio::test(start_paused = true)]
async fn a_run_is_not_restarted_while_one_that_it_began_goes_on() {
    let world =
        World::with(&[("main", "do: [{ sub: { run: child } }]"), ("child", "do: [{ wait: 1h }]")]).await;
    let run = world.start("act_1", order()).await;
    world.until(&run, |view| view.status == RunStatus::Waiting).await;
    world.engine.pause(run.as_str(), "ops").await.unwrap();
    let refused = world.engine.restart_from(run.as_str(), "sub", false, "ops").await.unwrap_err();
    assert_eq!(refused.code(), "flow.status", "{refused}");
}

#[tokio::test(start_paused = true)]
async fn a_letter_that_is_replayed_twice_at_once_is_sent_once() {
    let world = World::of(CAPTURE).await;
    let run = stuck(&world).await;
    let id = letter(&world).await.id;
    world.ledger.holds("payments.capture");
    let (one, two) = tokio::join!(
        world.engine.replay_dead(&id, false, "ops"),
        world.engine.replay_dead(&id, false, "ops")
    );
    assert_eq!((one.is_ok() as u8) + (two.is_ok() as u8), 1, "{one:?} {two:?}");
    world.called("payments.capture", 2).await;
    world.ledger.lets_go("payments.capture");
    let view = world.engine.wait(run.as_str(), PATIENCE).await.unwrap();
    assert_eq!((view.status, world.ledger.count("payments.capture")), (RunStatus::Succeeded, 1));
}

/// Whoever comes second is told so, and the run keeps what it has in flight.
#[tokio::test(start_paused = true)]
async fn a_run_outlives_a_letter_that_is_discarded_while_it_is_replayed() {
    for _ in 0..10 {
        let world = World::of(
            "do: [{ both: { fork: { a: [{ hold: { call: inventory.reserve } }], \
             b: [{ pay: { call: payments.capture, compensate: none } }] } } }]",
        )
        .await;
        world.ledger.holds("inventory.reserve");
        let run = stuck(&world).await;
        let id = letter(&world).await.id;
        let (replayed, discarded) =
            tokio::join!(world.engine.replay_dead(&id, false, "ops"), world.engine.discard_dead(&id));
        assert!(replayed.is_ok() != discarded.is_ok(), "{replayed:?} {discarded:?}");
        world.ledger.lets_go("inventory.reserve");
        if discarded.is_ok() {
            world.engine.resume(run.as_str(), false, "ops").await.unwrap();
        }
        let view = world.engine.wait(run.as_str(), PATIENCE).await.unwrap();
        assert_eq!(view.status, RunStatus::Succeeded);
        assert_eq!(world.ledger.keys("inventory.reserve").len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_tried_again_is_another_run() {
    let world = World::with(&[
        ("main", "do: [{ t: { try: [{ sub: { run: child } }], retry: { attempts: 3, wait: 10ms } } }]"),
        ("child", "{ on_exhausted: fail, do: [{ c: { call: payments.charge } }] }"),
    ])
    .await;
    world.ledger.fails_once("payments.charge", away());
    let view = world.runs(order()).await;
    assert_eq!(view.status, RunStatus::Succeeded);
    let keys = world.ledger.keys("payments.charge");
    assert!(keys.len() == 2 && keys[0] != keys[1], "{keys:?}");
}

#[tokio::test(start_paused = true)]
async fn a_run_can_be_restarted_from_a_step_that_began_another() {
    let mut world = World::with(&[
        ("main", "do: [{ sub: { run: child } }]"),
        ("child", "{ on_exhausted: fail, do: [{ c: { call: payments.charge } }] }"),
    ])
    .await;
    world.ledger.fails_once("payments.charge", away());
    let run = world.start("act_1", order()).await;
    assert!(world.engine.wait(run.as_str(), PATIENCE).await.unwrap().error.is_some());
    world.dies_and_restarts().await;
    world.engine.restart_from(run.as_str(), "sub", false, "ops").await.unwrap();
    world.until(&run, |view| view.status == RunStatus::Succeeded).await;
}
