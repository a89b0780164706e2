//! What people decide while a call is out, or twice, makes nothing happen twice.

use port::{Fault, Kind, Landed};
use store::RunStatus;

use crate::world::{PATIENCE, World, order};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
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
    world.engine.resume(run.as_str()).await.unwrap();
    let view = world.engine.wait(run.as_str(), PATIENCE).await.unwrap();
    assert_eq!(view.status, RunStatus::Succeeded);
    assert_eq!(world.ledger.effects(), ["payments.capture", "payments.find"]);
}
