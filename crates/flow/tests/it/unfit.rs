//! Answers that break their operation's schema: the effect is there, and its answer is lost.

use flow::StepStatus;
use port::{Fault, Kind, Landed};
use serde_json::json;
use store::RunStatus;

use crate::world::{World, order};

fn breach() -> Fault {
    let fault = Fault::new(Kind::Protocol, Landed::Yes, "the answer does not fit: it lacks the member `id`");
    Fault { breach: true, ..fault }
}

/// Under its key the same answer would come again, so even what is keyed waits for a person, who says what came of it.
#[tokio::test(start_paused = true)]
async fn a_lost_answer_waits_for_a_person_and_is_not_asked_for_again() {
    for operation in ["charge", "capture"] {
        let step = format!(
            "do: [{{ pay: {{ call: payments.{operation}, compensate: {{ call: payments.refund, with: {{ id: '${{ result.id }}' }} }} }} }}]"
        );
        let world = World::of(&step).await;
        world.ledger.fails_once(&format!("payments.{operation}"), breach());
        let run = world.start("act_1", order()).await;
        let view = world.until(&run, |view| view.status == RunStatus::Paused).await;
        assert_eq!(view.blocked_on.as_ref().unwrap().reason, "outcome_unknown", "{view:#?}");
        assert_eq!(view.steps[0].error.as_ref().unwrap().landed, Landed::Yes);
        assert_eq!(world.ledger.keys(&format!("payments.{operation}")).len(), 1);
        let output = Some(json!({ "id": "ch_1" }));
        world.engine.settle(run.as_str(), "pay", output, "ops").await.unwrap();
        assert_eq!(
            world.until(&run, |view| view.status == RunStatus::Succeeded).await.status,
            RunStatus::Succeeded
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_look_up_brings_the_answer_that_was_lost() {
    let step = "do: [{ pay: { call: payments.charge, compensate: none, verify: { call: payments.find, found: 'true', output: '${ { \"id\": \"ch_1\" } }' } } }]";
    let world = World::of(step).await;
    world.ledger.fails_once("payments.charge", breach());
    let view = world.runs(order()).await;
    assert_eq!(
        (view.status, view.steps[0].status),
        (RunStatus::Succeeded, StepStatus::Succeeded),
        "{view:#?}"
    );
    assert_eq!(
        (world.ledger.keys("payments.charge").len(), world.ledger.keys("payments.find").len()),
        (1, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn what_changes_nothing_has_only_failed() {
    let world = World::of("do: [{ look: { call: payments.find } }]").await;
    world.ledger.fails_once("payments.find", breach());
    let view = world.runs(order()).await;
    assert_eq!((view.status, view.error.unwrap().code.as_str()), (RunStatus::Failed, "call.protocol"));
    assert_eq!(world.ledger.keys("payments.find").len(), 1);
}

/// Nobody needs what an undoing answers.
#[tokio::test(start_paused = true)]
async fn an_undoing_whose_answer_is_lost_is_done() {
    let flow = "do: [{ pay: { call: payments.charge, compensate: { call: payments.refund } } }, { raise: { code: no, message: stop } }]";
    let world = World::of(flow).await;
    world.ledger.fails_once("payments.refund", breach());
    let view = world.runs(order()).await;
    assert_eq!(view.status, RunStatus::Compensated, "{view:#?}");
    assert_eq!(world.ledger.keys("payments.refund").len(), 1);
}
