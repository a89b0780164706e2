//! Messages of `tell`: sent at least once, those that must not be repeated at most once, and not after they were undone.

use std::time::Duration;

use store::OutboxFilter;

use crate::world::{PATIENCE, World, order};

impl World {
    async fn messages(&self) -> usize {
        self.store.outbox(&OutboxFilter::default()).await.unwrap().len()
    }

    /// Waits until nothing is to be delivered any more.
    async fn delivered(&self) {
        while self.messages().await > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopping_waits_for_messages_that_are_being_delivered() {
    let world = World::of("do: [{ mail: { tell: email.send } }]").await;
    world.ledger.holds("email.send");
    world.runs(order()).await;
    world.called("email.send", 1).await;
    let engine = world.engine.clone();
    let stopping = tokio::spawn(async move { engine.stop(PATIENCE).await });
    while world.engine.cancel("run_0", "ops").await != Err(flow::Error::Stopping) {
        tokio::task::yield_now().await;
    }
    assert_eq!(world.messages().await, 1);
    world.ledger.lets_go("email.send");
    stopping.await.unwrap();
    assert_eq!(world.messages().await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delivery_that_cannot_be_written_down_is_not_made_again() {
    let world = World::of("do: [{ mail: { tell: email.send } }]").await;
    world.ledger.holds("email.send");
    world.runs(order()).await;
    world.called("email.send", 1).await;
    world.store.clone().close().await;
    world.ledger.lets_go("email.send");
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(world.ledger.keys("email.send").len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_must_not_be_repeated_is_not_sent_again_after_a_crash() {
    let mut world = World::of("do: [{ note: { tell: payments.capture } }]").await;
    world.ledger.dies_at_call(Some(1));
    world.runs(order()).await;
    world.called("payments.capture", 1).await;
    world.dies_and_restarts().await;
    let letter = world.dead().await;
    assert_eq!((letter.code.as_str(), world.ledger.count("payments.capture")), ("flow.interrupted", 1));
    world.engine.replay_dead(&letter.id).await.unwrap();
    world.called("payments.capture", 2).await;
    world.delivered().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_may_be_repeated_is_sent_again_after_a_crash() {
    let mut world = World::of("do: [{ mail: { tell: email.send } }]").await;
    world.ledger.dies_at_call(Some(1));
    world.runs(order()).await;
    world.called("email.send", 1).await;
    world.dies_and_restarts().await;
    world.called("email.send", 2).await;
    world.delivered().await;
    assert_eq!(world.ledger.count("email.send"), 1);
}
