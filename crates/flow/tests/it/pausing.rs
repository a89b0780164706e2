//! What waits for a system whose guard lets nothing out: it stays where it is, and asks nothing.

use std::time::Duration;

use port::{Fault, Outlook, Rejection};
use store::{DeadFilter, RunStatus};

use crate::world::{PATIENCE, World, order};

/// The guard lets nothing out, and says that it will before long, again and again.
const CLOSED: Outlook = Outlook::Closed(Duration::from_millis(1));
const RUNS: usize = 20;

/// The journal of a run that was kept in once: started, taken, blocked.
const KEPT_IN_ONCE: u64 = 3;

async fn journals(world: &World, runs: &[flow::RunId]) -> Vec<u64> {
    let mut lengths = Vec::new();
    for run in runs {
        lengths.push(world.store.version(&format!("run-{run}")).await.unwrap());
    }
    lengths
}

#[tokio::test(start_paused = true)]
async fn runs_before_a_closed_system_ask_once_and_write_once_however_long_it_is_closed() {
    let world = World::of("{ do: [{ charge: { call: payments.charge } }] }").await;
    let open = Fault::rejected(Rejection::BreakerOpen, Some(Duration::from_millis(1)));
    world.ledger.fails("payments.charge", open);
    world.ledger.looks("payments", CLOSED);
    let mut runs = Vec::new();
    for number in 0..RUNS {
        runs.push(world.start(&format!("act_{number}"), order()).await);
    }
    world.looked(20 * RUNS).await;
    assert_eq!(world.ledger.keys("payments.charge").len(), RUNS, "each asked when it came, and not again");
    assert_eq!(journals(&world, &runs).await, [KEPT_IN_ONCE; RUNS]);

    world.ledger.mended("payments.charge");
    world.ledger.looks("payments", Outlook::Open);
    for run in &runs {
        assert_eq!(world.engine.wait(run.as_str(), PATIENCE).await.unwrap().status, RunStatus::Succeeded);
    }
    assert_eq!(world.ledger.keys("payments.charge").len(), 2 * RUNS);
    assert_eq!(world.store.next_timer().await.unwrap(), None, "nothing is left to wait for");
}

#[tokio::test(start_paused = true)]
async fn what_is_told_to_a_closed_system_waits_and_burns_no_attempt() {
    let world = World::of("{ do: [{ mail: { tell: email.send } }] }").await;
    world.ledger.looks("email", CLOSED);
    let view = world.runs(order()).await;
    assert_eq!(view.status, RunStatus::Succeeded, "nobody waits for it");
    world.looked(20).await;
    assert_eq!(world.ledger.keys("email.send"), [""; 0], "three attempts would have been the end of it");

    world.ledger.looks("email", Outlook::Open);
    world.called("email.send", 1).await;
    assert!(world.store.dead(&DeadFilter::default()).await.unwrap().is_empty());
}
