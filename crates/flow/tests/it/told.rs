//! Messages of `tell`: sent at least once, those that must not be repeated at most once, and not after they were undone.

use std::time::Duration;

use port::{Fault, Kind, Landed, Rejection};
use store::{OutboxFilter, RunStatus};

use crate::world::{PATIENCE, World, eventually, order};

/// A message that is undone because what follows is refused.
const UNDONE: &str = r#"
do:
  - order: { tell: orders.create, with: { id: 1 }, compensate: { call: orders.cancel, with: { id: 1 } } }
  - pay: { call: payments.charge, on_exhausted: compensate }
"#;

fn refused() -> Fault {
    Fault::new(Kind::Refused, Landed::No, "no")
}

impl World {
    async fn messages(&self) -> usize {
        self.store.outbox(&OutboxFilter::default()).await.unwrap().len()
    }

    /// Waits until nothing is to be delivered any more.
    async fn delivered(&self) {
        eventually("all is delivered", async || (self.messages().await == 0).then_some(())).await;
    }
}

#[tokio::test(start_paused = true)]
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

#[tokio::test(start_paused = true)]
async fn a_delivery_that_cannot_be_written_down_is_not_made_again() {
    let world = World::of("do: [{ mail: { tell: email.send } }]").await;
    world.ledger.holds("email.send");
    world.runs(order()).await;
    world.called("email.send", 1).await;
    world.store.clone().close().await;
    world.ledger.lets_go("email.send");
    world.passes(PATIENCE).await;
    assert_eq!(world.ledger.keys("email.send").len(), 1);
}

#[tokio::test(start_paused = true)]
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

#[tokio::test(start_paused = true)]
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

#[tokio::test(start_paused = true)]
async fn a_message_that_was_not_sent_is_taken_back() {
    for flow in [
        UNDONE,
        "do: [{ order: { tell: orders.create, compensate: { call: orders.cancel } } }, { require: [nothing] }]",
    ] {
        let world = World::of(flow).await;
        let closed = Fault::rejected(Rejection::BreakerOpen, Some(Duration::from_secs(3600)));
        world.ledger.fails("orders.create", closed);
        world.ledger.fails("payments.charge", refused());
        let view = world.runs(order()).await;
        assert_eq!(view.status, RunStatus::Failed, "{view:#?}");
        assert_eq!((world.messages().await, world.ledger.effects()), (0, vec![]));
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_being_delivered_is_undone_afterwards() {
    let world = World::of(UNDONE).await;
    world.ledger.holds("orders.create");
    world.ledger.holds("payments.charge");
    world.ledger.fails("payments.charge", Fault::new(Kind::Refused, Landed::Yes, "no"));
    let run = world.start("act_1", order()).await;
    world.called("orders.create", 1).await;
    world.called("payments.charge", 1).await;
    world.ledger.lets_go("payments.charge");
    world.until(&run, |view| view.compensation.iter().any(|step| &*step.path == "order/undo")).await;
    assert_eq!(world.ledger.count("orders.cancel"), 0);
    world.ledger.lets_go("orders.create");
    let view = world.engine.wait(run.as_str(), PATIENCE).await.unwrap();
    assert_eq!((view.status, world.ledger.count("orders.cancel")), (RunStatus::Compensated, 1));
    assert_eq!(world.messages().await, 0);
}

/// The process dies while the message is out: nobody knows whether it arrived, so it is undone.
#[tokio::test(start_paused = true)]
async fn a_message_that_may_have_arrived_is_undone() {
    let flow = format!("{UNDONE}\n").replace("- pay:", "- gate: { listen: { signal: go } }\n  - pay:");
    let mut world = World::of(&flow).await;
    world.ledger.fails("payments.charge", refused());
    world.ledger.dies_at_call(Some(1));
    let run = world.start("act_1", order()).await;
    world.called("orders.create", 1).await;
    world.until(&run, |view| view.status == RunStatus::Waiting).await;
    world.dies_and_restarts().await;
    world.signal(&run, "go", "s", serde_json::Value::Null).await;
    let view = world.engine.wait(run.as_str(), PATIENCE).await.unwrap();
    assert_eq!(view.status, RunStatus::Compensated);
    assert_eq!(world.ledger.effects(), ["orders.create", "orders.cancel"]);
}
