//! Two engines over one store: the one whose store was taken over sends nothing, whatever it knew and is told.

use std::time::Duration;

use flow::Error;
use port::{Fault, Kind, Landed};
use store::RunStatus;

use crate::world::{PATIENCE, World, order};

/// Longer than anything here waits for.
const LONG: Duration = Duration::from_secs(3600);
/// Shorter than a call may take.
const SHORT: Duration = Duration::from_secs(1);

/// How often the system was called by now. Time is held: it passes when nobody has anything to do.
async fn calls(world: &World, time: Duration) -> usize {
    world.passes(time).await;
    world.ledger.keys("payments.charge").len()
}

async fn succeeds(world: &World, run: &flow::RunId) {
    let view = world.engine.wait(run.as_str(), PATIENCE).await.unwrap();
    assert_eq!(view.status, RunStatus::Succeeded, "{view:#?}");
}

/// Its call is outstanding: nothing need be written before it is sent.
#[tokio::test(start_paused = true)]
async fn a_run_is_not_loaded_by_a_process_that_was_replaced() {
    let mut world = World::of("{ do: [{ charge: { call: payments.charge } }] }").await;
    world.is_taken_over().await;
    let (run, batch) = world.begin("act_1", order());
    world.store.commit(batch).await.unwrap();
    world.engine.committed(std::slice::from_ref(&run));
    assert_eq!(calls(&world, LONG).await, 0);
    let refused = world.engine.resume(run.as_str(), false, "ann").await;
    assert!(matches!(refused, Err(Error::Busy(_))), "{refused:?}");
    world.another_begins().await;
    succeeds(&world, &run).await;
    assert_eq!(calls(&world, LONG).await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_waits_between_two_rounds_is_gone_on_with_by_the_other_process() {
    let flow = "{ do: [{ charge: { call: payments.charge, retry: { attempts: 3, wait: 1m } } }] }";
    let mut world = World::of(flow).await;
    world.ledger.fails_once("payments.charge", Fault::new(Kind::Unavailable, Landed::No, "down"));
    let run = world.start("act_1", order()).await;
    world.called("payments.charge", 1).await;
    world.is_taken_over().await;
    assert_eq!(calls(&world, LONG).await, 1, "its timer was due, and it may not send");
    world.another_begins().await;
    succeeds(&world, &run).await;
    assert_eq!(calls(&world, LONG).await, 2);
}

/// The call was decided and written before, and waited for others.
#[tokio::test(start_paused = true)]
async fn a_call_that_waits_for_its_permit_is_not_sent_any_more() {
    let mut world = World::narrow(&[("main", "{ do: [{ charge: { call: payments.charge } }] }")]).await;
    world.ledger.holds("payments.charge");
    let runs = [world.start("act_1", order()).await, world.start("act_2", order()).await];
    assert_eq!(calls(&world, SHORT).await, 1, "the other waits");
    world.is_taken_over().await;
    world.ledger.lets_go("payments.charge");
    assert_eq!(calls(&world, SHORT).await, 1);
    world.another_begins().await;
    for run in &runs {
        succeeds(&world, run).await;
    }
}
