//! Messages of `tell`: sent at least once, those that must not be repeated at most once, and not after they were undone.

use std::time::Duration;

use flow::{Delivery, Remedy};
use port::{Fault, Kind, Landed, Rejection};
use serde_json::{Value, json};
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
    let relay = world.relay.clone();
    let stopping = tokio::spawn(async move { relay.stop(PATIENCE).await });
    world.passes(Duration::from_secs(1)).await;
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
    let refused = world.engine.replay_dead(&letter.id, false, "ops").await.unwrap_err();
    assert_eq!((refused.code(), world.ledger.count("payments.capture")), ("flow.unsettled", 1));
    world.engine.replay_dead(&letter.id, true, "ops").await.unwrap();
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
        assert_eq!((world.messages().await, world.ledger.effects()), (0, vec![]), "{view:#?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_being_delivered_is_undone_afterwards() {
    let world = World::of(UNDONE).await;
    world.ledger.holds("orders.create");
    world.ledger.holds("payments.charge");
    world.ledger.fails("payments.charge", refused());
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

/// What a step shows of its message.
fn shown(view: &flow::RunView) -> (Option<Delivery>, Option<Value>) {
    let step = view.steps.first();
    (step.and_then(|step| step.delivery), step.and_then(|step| step.result.clone()))
}

#[tokio::test(start_paused = true)]
async fn a_run_shows_what_became_of_its_message_also_when_it_has_ended() {
    let world = World::of("do: [{ mail: { tell: email.send } }]").await;
    world.ledger.holds("email.send");
    world.ledger.answers("email.send", json!({ "id": "m1" }));
    let view = world.runs(order()).await;
    assert_eq!((view.status, shown(&view).0), (RunStatus::Succeeded, Some(Delivery::Pending)));
    world.ledger.lets_go("email.send");
    world.delivered().await;
    let view = world.engine.view(&view.id).await.unwrap();
    assert_eq!(shown(&view), (Some(Delivery::Delivered), Some(json!({ "id": "m1" }))));
    assert_eq!(
        world.store.version(&format!("run-{}", view.id)).await.unwrap(),
        4,
        "its journal stays closed"
    );
}

#[tokio::test(start_paused = true)]
async fn a_run_that_goes_on_takes_what_became_of_its_message_into_its_journal() {
    let mut world = World::of("do: [{ mail: { tell: email.send } }, { nap: { wait: 1h } }]").await;
    world.ledger.answers("email.send", json!({ "id": "m1" }));
    let run = world.start("act_1", order()).await;
    world.until(&run, |view| shown(view).0 == Some(Delivery::Delivered)).await;
    assert!(world.crash.events.lock().iter().any(|(event, step)| event == "TellDelivered" && step == "mail"));
    world.dies_and_restarts().await;
    let view = world.engine.view(run.as_str()).await.unwrap();
    assert_eq!(shown(&view), (Some(Delivery::Delivered), Some(json!({ "id": "m1" }))));
}

/// The undoing of a message is told what the system answered.
const RECALLED: &str = r#"
do:
  - order: { tell: orders.create, with: { id: 1 }, compensate: { call: orders.cancel, with: { id: "${ result.id }" } } }
  - gate: { listen: { signal: go } }
  - pay: { call: payments.charge, on_exhausted: compensate }
"#;

#[tokio::test(start_paused = true)]
async fn the_undoing_of_a_delivered_message_knows_its_answer() {
    let world = World::of(RECALLED).await;
    world.ledger.answers("orders.create", json!({ "id": "o-7" }));
    world.ledger.fails("payments.charge", refused());
    let run = world.start("act_1", order()).await;
    world.called("orders.create", 1).await;
    world.signal(&run, "go", "s", Value::Null).await;
    let view = world.engine.wait(run.as_str(), PATIENCE).await.unwrap();
    assert_eq!(view.status, RunStatus::Compensated, "{view:#?}");
    assert_eq!(world.ledger.effects(), ["orders.create", "orders.cancel"]);
}

#[tokio::test(start_paused = true)]
async fn one_that_is_being_delivered_is_undone_with_the_answer_that_it_gets_then() {
    let world = World::of(RECALLED).await;
    world.ledger.answers("orders.create", json!({ "id": "o-7" }));
    world.ledger.holds("orders.create");
    world.ledger.fails("payments.charge", refused());
    let run = world.start("act_1", order()).await;
    world.called("orders.create", 1).await;
    world.signal(&run, "go", "s", Value::Null).await;
    world.passes(Duration::from_secs(3)).await;
    assert_eq!(world.ledger.count("orders.cancel"), 0);
    world.ledger.lets_go("orders.create");
    let view = world.engine.wait(run.as_str(), PATIENCE).await.unwrap();
    assert_eq!((view.status, world.ledger.count("orders.cancel")), (RunStatus::Compensated, 1), "{view:#?}");
}

#[tokio::test(start_paused = true)]
async fn one_that_is_dead_and_did_not_arrive_needs_no_undoing() {
    let world = World::of(RECALLED).await;
    world.ledger.fails("orders.create", refused());
    world.ledger.fails("payments.charge", refused());
    let run = world.start("act_1", order()).await;
    let letter = world.dead().await;
    assert_eq!(letter.source, format!("{run}/order"));
    world.signal(&run, "go", "s", Value::Null).await;
    let view = world.engine.wait(run.as_str(), PATIENCE).await.unwrap();
    assert_eq!((view.status, world.ledger.effects()), (RunStatus::Failed, vec![]), "{view:#?}");
    assert_eq!((view.steps[0].delivery, world.messages().await), (Some(Delivery::Withdrawn), 0));
}

#[tokio::test(start_paused = true)]
async fn a_dead_message_holds_the_next_one_of_its_run_until_it_is_replayed_or_discarded() {
    let flow = "do: [{ one: { tell: email.send } }, { two: { tell: email.send } }]";
    for replay in [true, false] {
        let world = World::of(flow).await;
        world.ledger.fails("email.send", refused());
        let view = world.runs(order()).await;
        let letter = world.dead().await;
        let waiting = world.engine.undelivered(&OutboxFilter::default()).await.unwrap();
        let reasons: Vec<_> = waiting.iter().map(|message| message.blocked_on.reason).collect();
        assert_eq!(reasons, ["dead_letter", "behind"]);
        assert_eq!(waiting[1].blocked_on.on, Some(json!({ "message": format!("{}/one", view.id) })));
        world.ledger.mended("email.send");
        match replay {
            true => world.engine.replay_dead(&letter.id, false, "ops").await.unwrap(),
            false => world.engine.discard_dead(&letter.id).await.unwrap(),
        }
        world.delivered().await;
        assert_eq!(world.ledger.count("email.send"), 1 + usize::from(replay));
    }
}

#[tokio::test(start_paused = true)]
async fn a_dead_message_that_may_be_skipped_holds_nobody() {
    let world = World::of(
        "do: [{ one: { tell: orders.create, on_dead: skip } }, { two: { tell: orders.validate } }]",
    )
    .await;
    world.ledger.fails("orders.create", refused());
    world.runs(order()).await;
    world.delivered().await;
    assert_eq!(world.ledger.effects(), ["orders.validate"]);
    assert_eq!(world.dead().await.operation, "create");
}

/// The first run's message waits for its system; the second run's does not overtake it.
#[tokio::test(start_paused = true)]
async fn messages_of_runs_with_one_key_arrive_in_order() {
    let world = World::of(
        r#"{ key: "${ entity.id }", do: [{ mail: { tell: email.send, with: { run: "${ run.id }" } } }] }"#,
    )
    .await;
    world.ledger.fails_once("email.send", Fault::new(Kind::Unavailable, Landed::No, "busy"));
    let runs = [world.start("act_1", order()).await, world.start("act_2", order()).await];
    world.called("email.send", 3).await;
    let keys = world.ledger.keys("email.send");
    assert!(keys[0] == keys[1] && keys[1] != keys[2], "{keys:?}");
    let inputs = world.ledger.inputs("email.send");
    let order: Vec<_> = inputs.iter().map(|input| input["run"].as_str().unwrap()).collect();
    assert_eq!(order, [runs[0].as_str(), runs[1].as_str()]);
}

/// Found by the order that the loop stood at, also when the run has long ended and another process goes on.
const LOOKED_UP: &str = r#"
do:
  - note:
      for: { in: "${ entity.items }", each: line }
      tell: payments.capture
      with: { product: "${ line.product_id }" }
      verify:
        call: payments.find
        with: { key: "${ call.key }", product: "${ call.input.product }" }
        found: result.product == line.product_id && call.input.product == line.product_id
        output: { id: "${ result.id }" }
"#;

#[tokio::test(start_paused = true)]
async fn a_message_that_may_have_arrived_is_looked_up_as_a_call_would_be() {
    for crash in [false, true] {
        let mut world = World::of(LOOKED_UP).await;
        world.ledger.answers("payments.find", json!({ "product": "p1", "id": "found" }));
        if crash {
            world.ledger.dies_at_call(Some(1));
        } else {
            let lost = Fault::new(Kind::Timeout, Landed::Unknown, "no answer");
            world.ledger.fails_once("payments.capture", lost);
        }
        let run = world.start("act_1", order()).await;
        world.called("payments.capture", 1).await;
        if crash {
            world.dies_and_restarts().await;
        }
        world.delivered().await;
        let view = world.until(&run, |view| view.steps[1].delivery == Some(Delivery::Delivered)).await;
        assert_eq!(view.steps[1].result, Some(json!({ "id": "found" })), "{view:#?}");
        assert_eq!(world.ledger.count("payments.capture"), 2, "each once");
        let looked = world.ledger.inputs("payments.find").remove(0);
        assert_eq!((&looked["product"], looked["key"].as_str().unwrap().len()), (&json!("p1"), 32));
    }
}

#[tokio::test(start_paused = true)]
async fn while_it_is_looked_up_it_is_shown_so() {
    let world = World::of(&LOOKED_UP.replace("found: ", "found: false && ")).await;
    let lost = Fault::new(Kind::Timeout, Landed::Unknown, "no answer");
    world.ledger.fails_once("payments.capture", lost);
    world.start("act_1", order()).await;
    let shown = eventually("it is looked up", async || {
        let undelivered = world.engine.undelivered(&OutboxFilter::default()).await.unwrap();
        undelivered.into_iter().find(|message| message.blocked_on.reason == "verifying")
    });
    assert!(shown.await.blocked_on.until.is_some());
    assert_eq!(world.dead().await.code, "flow.outcome_unknown");
}

/// What was taken back before it was sent is not done: a restart from a later step tells it again.
#[tokio::test(start_paused = true)]
async fn a_restart_tells_again_what_was_taken_back() {
    let flow = "do: [{ a: { tell: orders.create, with: { id: 1 }, compensate: none } }, { b: { tell: orders.create, with: { id: 2 }, compensate: { call: orders.cancel, with: { id: 2 } } } }, { gate: { listen: { signal: go } } }]";
    let world = World::of(flow).await;
    world.ledger.holds("orders.create");
    let run = world.start("act_1", order()).await;
    world.called("orders.create", 1).await;
    world.until(&run, |view| view.status == RunStatus::Waiting).await;
    world.engine.cancel(run.as_str(), "ops").await.unwrap();
    let view = world.until(&run, |view| view.status == RunStatus::Cancelled).await;
    assert_eq!(view.steps[1].delivery, Some(Delivery::Withdrawn));
    world.ledger.lets_go("orders.create");
    world.delivered().await;
    assert_eq!(world.ledger.count("orders.create"), 1);
    world.engine.restart_from(run.as_str(), "gate", false, "ops").await.unwrap();
    world.until(&run, |view| view.status == RunStatus::Waiting).await;
    world.delivered().await;
    assert_eq!(world.ledger.count("orders.create"), 2, "the first is kept, the second told");
}

/// What a person is offered is what is not refused, and decides something.
#[tokio::test(start_paused = true)]
async fn what_can_be_done_about_a_dead_message_depends_on_whether_it_may_have_arrived() {
    let lost = || Fault::new(Kind::Unavailable, Landed::Unknown, "no answer");
    let cases = [
        ("payments.capture", lost(), Remedy::Unsettled),
        ("payments.charge", lost(), Remedy::Doubted),
        ("payments.capture", refused(), Remedy::Replay),
    ];
    for (operation, fault, wanted) in cases {
        let world = World::of(&format!("do: [{{ pay: {{ tell: {operation}, compensate: none }} }}]")).await;
        world.ledger.fails(operation, fault);
        let run = world.start("act_1", order()).await;
        let letter = world.dead().await;
        assert_eq!(world.engine.remedy(&letter).await.unwrap(), wanted, "{operation}");
        world.ledger.mended(operation);
        let before = world.ledger.keys(operation).len();
        let replayed = world.engine.replay_dead(&letter.id, false, "ops").await;
        assert_eq!(replayed.is_ok(), wanted != Remedy::Unsettled, "{operation}: {replayed:?}");
        if wanted == Remedy::Unsettled {
            world.engine.replay_dead(&letter.id, true, "ops").await.unwrap();
        }
        world.called(operation, before + 1).await;
        world.until(&run, |view| view.steps[0].delivery == Some(Delivery::Delivered)).await;
    }
}
