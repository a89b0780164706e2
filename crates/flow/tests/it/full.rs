//! A disk that is full in the middle of a flow: the run waits for space and goes on, and nothing is sent twice for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use flow::RunView;
use port::Clock;
use store::{Fate, Moment, RunStatus};

use crate::world::{PATIENCE, World, eventually, order};

const MAIN: &str = "do: [{ a: { call: orders.create, compensate: none } }, { p: { call: payments.capture, compensate: none } }, \
     { t: { tell: payments.capture, with: { told: true } } }, { kid: { run: child } }]";
const CHILD: &str = "do: [{ c: { call: payments.charge, compensate: none } }]";
/// Each of them is called once, whether its system would notice a repeat or not.
const CALLS: [(&str, usize); 3] = [("orders.create", 1), ("payments.capture", 2), ("payments.charge", 1)];

/// How long there is no space.
const FULL: Duration = Duration::from_secs(600);

/// From the n-th commit on there is no space for a while. Counts the commits.
fn fills(world: &World, nth: usize) -> Arc<AtomicUsize> {
    let (seen, clock, mut since) = (Arc::<AtomicUsize>::default(), world.clock.clone(), None);
    let count = seen.clone();
    world.store.decide(move |moment| {
        if matches!(moment, Moment::Read) || count.fetch_add(1, Ordering::SeqCst) < nth {
            return Fate::Done;
        }
        let since = *since.get_or_insert(clock.now());
        let full = clock.now().duration_since(since) < FULL.try_into().unwrap();
        if full { Fate::Full } else { Fate::Done }
    });
    seen
}

/// A run whose store is full from its n-th commit on; and how many commits there were.
async fn played(nth: usize) -> (World, RunView, usize) {
    let world = World::with(&[("main", MAIN), ("child", CHILD)]).await;
    let run = world.start("act_1", order()).await;
    let commits = fills(&world, nth);
    let view = world.engine.wait(run.as_str(), FULL + PATIENCE).await.unwrap();
    eventually("the message is delivered", async || {
        world.store.outbox(&store::OutboxFilter::default()).await.unwrap().is_empty().then_some(())
    })
    .await;
    let commits = commits.load(Ordering::SeqCst);
    (world, view, commits)
}

#[tokio::test(start_paused = true)]
async fn a_run_goes_on_when_space_is_back_and_sends_nothing_twice() {
    let (_, _, commits) = played(usize::MAX).await;
    assert!(commits > 8, "{commits}");
    for nth in 0..commits {
        let (world, view, after) = played(nth).await;
        assert_eq!(view.status, RunStatus::Succeeded, "full from commit {nth}: {view:#?}");
        assert!(after > commits, "commit {nth} was refused");
        for (operation, times) in CALLS {
            assert_eq!(world.ledger.keys(operation).len(), times, "{operation}, full from commit {nth}");
        }
    }
}
