//! Two relays over one store: a row is delivered by one of them, and by none whose store was taken over.

use std::time::Duration;

use futures_util::FutureExt;
use store::{Fate, Moment};

use crate::world::{World, message};

#[tokio::test(start_paused = true)]
async fn two_relays_over_one_store_deliver_each_row_once() {
    let world = World::of(["crm"]);
    let _other = world.another();
    let runs: Vec<_> = (0..100).map(|number| format!("run_{number}")).collect();
    let told: Vec<_> = runs.iter().map(|run| message("crm.keyed", run, "1")).collect();
    world.tells(&told).await;
    world.passes(Duration::from_secs(60)).await;
    assert_eq!(world.system("crm").calls(), 100);
    assert!(world.rows().await.is_empty());
}

/// The store is taken over when the row is read for the n-th time: a look at the lanes, at its heads, at the row.
#[tokio::test(start_paused = true)]
async fn a_relay_whose_store_was_taken_over_sends_nothing() {
    for nth in 1..=3 {
        let mut world = World::of(["crm"]);
        world.passes(Duration::from_secs(1)).await;
        let (store, mut reads) = (world.store.clone(), 0);
        world.store.decide(move |moment| {
            reads += u32::from(matches!(moment, Moment::Read));
            if reads == nth && matches!(moment, Moment::Read) {
                let _taken = store.take_over().now_or_never();
            }
            Fate::Done
        });
        world.tells(&[message("crm.keyed", "run_1", "1")]).await;
        world.passes(Duration::from_secs(60)).await;
        assert_eq!(world.system("crm").calls(), 0, "taken over at read {nth}");
        world.store.decide(|_| Fate::Done);
        world.is_replaced().await;
        world.passes(Duration::from_secs(60)).await;
        assert_eq!(world.system("crm").calls(), 1);
        assert!(world.rows().await.is_empty());
    }
}
