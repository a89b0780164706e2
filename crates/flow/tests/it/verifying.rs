//! Finding out whether a step landed: shown as what it is, and what a person is told when it cannot be found out.

use flow::{StepStatus, StepView};
use port::{Fault, Kind, Landed};
use serde_json::json;
use store::{DeadFilter, DeadState, RunStatus};

use crate::world::{World, order};

fn lost() -> Fault {
    Fault::new(Kind::Timeout, Landed::Unknown, "no answer")
}

fn called(step: &StepView) -> (&str, StepStatus, Option<&str>) {
    (&step.path, step.status, step.operation.as_deref())
}

/// The refund needs the charge's id, which never came: the charge is asked for again before anything is undone.
#[tokio::test(start_paused = true)]
async fn a_step_that_is_asked_for_before_it_is_undone_is_verifying_not_blocked() {
    let world = World::of(
        r#"
do:
  - pay:
      call: payments.charge
      on_exhausted: compensate
      compensate: { call: payments.refund, with: { id: "${ result.id }" }, retry: { wait: 1h } }
"#,
    )
    .await;
    world.ledger.fails_once("payments.charge", lost());
    world.ledger.fails_once("payments.charge", Fault::new(Kind::Unavailable, Landed::No, "away"));
    let run = world.start("act_1", order()).await;
    let retries = |view: &flow::RunView| {
        view.blocked_on.as_ref().is_some_and(|on| on.reason == "verifying" && on.until.is_some())
    };
    let view = world.until(&run, retries).await;
    assert_eq!(view.status, RunStatus::Compensating, "{view:#?}");
    assert_eq!(called(&view.compensation[0]), ("pay/undo", StepStatus::Verifying, Some("charge")));
    let blocked = view.blocked_on.unwrap();
    assert_eq!(
        (blocked.reason, blocked.step.as_deref(), blocked.verifying),
        ("verifying", Some("pay/undo"), true)
    );

    world.engine.resume(run.as_str(), false, "ops").await.unwrap();
    let view = world.until(&run, |view| view.status == RunStatus::Compensated).await;
    assert_eq!(called(&view.compensation[0]), ("pay/undo", StepStatus::Compensated, Some("refund")));
    assert_eq!(
        world.ledger.asked_fresh(),
        ["payments.charge", "payments.charge"],
        "not when it was first made"
    );
}

#[tokio::test(start_paused = true)]
async fn a_step_whose_outcome_is_looked_up_is_verifying() {
    let flow = "do: [{ pay: { call: payments.capture, compensate: none, verify: { call: payments.find } } }]";
    let world = World::of(flow).await;
    world.ledger.fails_once("payments.capture", lost());
    world.ledger.holds("payments.find");
    let run = world.start("act_1", order()).await;
    let view = world.until(&run, |view| view.steps.iter().any(|step| step.error.is_some())).await;
    assert_eq!(called(&view.steps[0]), ("pay", StepStatus::Verifying, Some("find")));
    world.ledger.lets_go("payments.find");
    let view = world.until(&run, |view| view.status.is_ended()).await;
    assert_eq!(called(&view.steps[0]), ("pay", StepStatus::Succeeded, Some("capture")));
    assert_eq!(world.ledger.asked_fresh(), ["payments.find"], "no answer of before the call");
}

/// What would be sent again is the call, not the question whether it landed.
#[tokio::test(start_paused = true)]
async fn a_letter_about_a_question_without_an_answer_holds_the_call() {
    let world = World::of(
        "do: [{ pay: { call: payments.capture, with: { amount: 5 }, compensate: none, \
         verify: { call: payments.find, with: { order: 7 }, every: 100ms, until: 1s } } }]",
    )
    .await;
    world.ledger.fails_once("payments.capture", lost());
    world.ledger.fails("payments.find", Fault::new(Kind::Refused, Landed::No, "not for you"));
    let run = world.start("act_1", order()).await;
    let view = world.until(&run, |view| view.status == RunStatus::Paused).await;
    let letter = world.store.dead(&DeadFilter::default()).await.unwrap().remove(0);
    assert_eq!(letter.input, json!({ "amount": 5 }).to_string().into_bytes());
    assert!(letter.key.is_some_and(|key| key.len() == 32));
    let shown = view.blocked_on.unwrap().letter.unwrap();
    assert_eq!((&shown.id, shown.state), (&letter.id, DeadState::Open));
    let refused = world.engine.replay_dead(&letter.id, false, "ops").await.unwrap_err();
    assert_eq!(refused.code(), "flow.unsettled");
    world.engine.replay_dead(&letter.id, true, "ops").await.unwrap();
    world.until(&run, |view| view.status == RunStatus::Succeeded).await;
    assert!(world.ledger.inputs("payments.capture").iter().all(|input| *input == json!({ "amount": 5 })));
}

#[tokio::test(start_paused = true)]
async fn a_run_whose_letter_was_discarded_says_so() {
    let world = World::of("do: [{ pay: { call: payments.charge } }]").await;
    world.ledger.fails("payments.charge", Fault::new(Kind::Unavailable, Landed::No, "away"));
    let run = world.start("act_1", order()).await;
    let view = world.until(&run, |view| view.status == RunStatus::Paused).await;
    let letter = view.blocked_on.unwrap().letter.unwrap();
    world.engine.discard_dead(&letter.id).await.unwrap();
    let view = world.engine.view(run.as_str()).await.unwrap();
    assert_eq!(view.blocked_on.unwrap().letter.unwrap().state, DeadState::Discarded);
}

/// A look-up that never finds anything does not keep an undoing for ever.
#[tokio::test(start_paused = true)]
async fn what_an_undoing_looks_up_has_an_end() {
    let world = World::of(
        "do: [{ pay: { call: payments.charge, on_exhausted: compensate, retry: { attempts: 1 }, \
         compensate: { call: payments.refund, with: { id: 7 } }, \
         verify: { call: payments.find, found: \"${ false }\", every: 1s, until: 20s } } }]",
    )
    .await;
    world.ledger.fails("payments.charge", lost());
    let run = world.start("act_1", order()).await;
    world.until(&run, |view| view.status == RunStatus::Compensated).await;
}

/// What shows that a step landed is written with all that its call was written with: its input, and the loop's names.
#[tokio::test(start_paused = true)]
async fn what_was_found_is_held_against_the_call_and_its_loop() {
    let world = World::of(
        "do: [{ pay: { for: { each: line, in: '${ entity.items }' }, call: payments.capture, \
         with: { sku: '${ line.product_id }' }, compensate: none, \
         verify: { call: payments.find, found: '${ call.input.sku == line.product_id && result.id == \"c9\" }', \
         output: '${ { \"id\": result.id, \"sku\": call.input.sku, \"of\": line.quantity } }' } } }]",
    )
    .await;
    world.ledger.answers("payments.find", json!({ "id": "c9" }));
    world.ledger.fails_once("payments.capture", lost());
    let view = world.runs(order()).await;
    assert_eq!(view.status, RunStatus::Succeeded, "{view:#?}");
    assert_eq!(world.ledger.keys("payments.capture").len(), 2, "the first was found, and not sent again");
}

/// Whoever found out what happened says so, and the run goes on as if it had been answered so.
#[tokio::test(start_paused = true)]
async fn a_person_settles_what_nobody_knows() {
    let flow = "do: [{ pay: { call: payments.capture, compensate: none, verify: none } }, \
                { order: { call: orders.create, with: { of: '${ steps.pay.id }' }, compensate: none } }]";
    for landed in [Some(json!({ "id": "c9" })), None] {
        let world = World::of(flow).await;
        world.ledger.fails_once("payments.capture", lost());
        let run = world.start("act_1", order()).await;
        world.until(&run, |view| view.status == RunStatus::Paused).await;
        let refused = world.engine.resume(run.as_str(), false, "ops").await.unwrap_err();
        assert_eq!(refused.code(), "flow.unsettled");
        let by = flow::Author::new("ada", "seen in the bank's list");
        world.engine.settle(run.as_str(), "pay", landed.clone(), by.clone()).await.unwrap();
        let view = world.until(&run, |view| view.status.is_ended()).await;
        assert_eq!((view.status, view.steps[0].settled.as_ref()), (RunStatus::Succeeded, Some(&by)));
        let sent = world.ledger.keys("payments.capture").len();
        match landed {
            Some(_) => {
                assert_eq!(sent, 1);
                assert_eq!(world.ledger.inputs("orders.create"), [json!({ "of": "c9" })]);
            }
            None => assert_eq!(sent, 2, "it is sent again"),
        }
        let late = world.engine.settle(run.as_str(), "pay", None, "ada").await.unwrap_err();
        assert_eq!(late.code(), "flow.status", "it is known by now");
    }
}

/// It did it before; that the system does not do it twice is no answer to whether it has.
#[tokio::test(start_paused = true)]
async fn the_refusal_of_what_a_restart_does_again_is_looked_up() {
    let flow = "do: [{ pay: { call: payments.capture, compensate: none, verify: { call: payments.find } } }]";
    let world = World::of(flow).await;
    let run = world.start("act_1", order()).await;
    world.until(&run, |view| view.status == RunStatus::Succeeded).await;
    world.ledger.fails_once("payments.capture", Fault::new(Kind::Conflict, Landed::No, "it is there"));
    world.engine.restart_from(run.as_str(), "pay", false, "ops").await.unwrap();
    let again = |view: &flow::RunView| view.status.is_ended() && view.decisions.len() == 1;
    let view = world.until(&run, again).await;
    assert_eq!(view.status, RunStatus::Succeeded, "{view:#?}");
    assert_eq!(world.ledger.count("payments.capture"), 1);
}
