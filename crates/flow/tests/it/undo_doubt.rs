//! An undoing that was sent, and of which nobody knows whether it landed: it is not sent again by itself, nobody says that the
//! step stands, and a person settles it.

use conversation::Change;
use flow::{Error, RunId, StepStatus, Undone};
use port::{Fault, Kind, Landed};
use serde_json::{Value, json};
use store::{DeadFilter, DeadState, RunStatus};

use crate::world::{World, order};

const UNDO: &str = "payments.capture";

fn lost() -> Fault {
    Fault::new(Kind::Unavailable, Landed::Unknown, "the connection broke")
}

/// How a run comes to be undone.
#[derive(Clone, Copy, Debug, PartialEq)]
enum How {
    Fails,
    Cancelled,
    UndoneLater,
    Crashed,
}

/// A run whose undoing must not be repeated, and whose answer was lost.
async fn in_doubt(how: How) -> (World, RunId) {
    let after = match how {
        How::Fails | How::Crashed => "{ raise: { code: shop.closed, message: closed } }",
        How::Cancelled => "{ gate: { listen: { signal: go } } }",
        How::UndoneLater => "{ set: { done: true } }",
    };
    let undo = "{ call: payments.capture, with: { id: '${ result.id }' } }";
    let flow = format!("do: [{{ pay: {{ call: payments.charge, compensate: {undo} }} }}, {after}]");
    let mut world = World::of(&flow).await;
    match how {
        How::Crashed => world.ledger.dies_at_call(Some(2)),
        _ => world.ledger.fails_once(UNDO, lost()),
    }
    let run = world.start("act_1", order()).await;
    match how {
        How::Fails => {}
        How::Crashed => {
            world.called(UNDO, 1).await;
            world.dies_and_restarts().await;
        }
        How::Cancelled => {
            world.until(&run, |view| view.status == RunStatus::Waiting).await;
            world.engine.cancel(run.as_str(), "ops").await.unwrap();
        }
        How::UndoneLater => {
            world.until(&run, |view| view.status == RunStatus::Succeeded).await;
            world.engine.undo(run.as_str(), false, "ops").await.unwrap();
        }
    }
    world.until(&run, |view| view.status == RunStatus::Parked).await;
    (world, run)
}

fn sent(world: &World) -> usize {
    world.ledger.keys(UNDO).len()
}

async fn undo_state(world: &World, run: &RunId) -> Undone {
    world.engine.effects(run.as_str()).await.unwrap()[0].undo.as_ref().unwrap().state
}

#[tokio::test(start_paused = true)]
async fn it_is_said_that_nobody_knows_and_it_is_not_sent_again_by_itself() {
    for how in [How::Fails, How::Cancelled, How::UndoneLater, How::Crashed] {
        let (mut world, run) = in_doubt(how).await;
        world.dies_and_restarts().await;
        let view = world.engine.view(run.as_str()).await.unwrap();
        assert_eq!((view.status, view.unknown.as_deref()), (RunStatus::Parked, Some("pay/undo")), "{how:?}");
        assert_eq!(view.compensation[0].status, StepStatus::Unknown, "{how:?}");
        let rollback = view.rollback.unwrap();
        assert_eq!((rollback.not_undone.len(), rollback.unknown), (0, vec!["pay".to_owned()]), "{how:?}");
        let told = world.said.said.lock().iter().rev().find_map(|said| said.change.clone()).unwrap();
        assert_eq!(told, Change::Unknown { step: "pay/undo".into() }, "{how:?}");
        assert_eq!(undo_state(&world, &run).await, Undone::Unknown, "{how:?}");
        let letter = world.dead().await;
        let refused = world.engine.replay_dead(&letter.id, false, "ops").await.unwrap_err();
        assert_eq!(refused, Error::Unsettled { run: run.to_string(), step: "pay/undo".into() }, "{how:?}");
        let refused = world.engine.restart_from(run.as_str(), "pay", false, "ops").await.unwrap_err();
        assert_eq!(refused.code(), "flow.unsettled", "{how:?}");
        assert_eq!(sent(&world), 1, "{how:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_person_says_what_became_of_it_or_that_it_is_sent_again() {
    let cases: [(Option<Option<Value>>, usize); 3] =
        [(Some(Some(json!(null))), 1), (Some(None), 2), (None, 2)];
    for (said, sends) in cases {
        let (world, run) = in_doubt(How::Fails).await;
        match said.clone() {
            Some(landed) => world.engine.settle(run.as_str(), "pay/undo", landed, "ada").await.unwrap(),
            None => world.engine.replay_dead(&world.dead().await.id, true, "ada").await.unwrap(),
        }
        let view = world.until(&run, |view| view.status.is_ended()).await;
        assert_eq!((view.status, sent(&world)), (RunStatus::Compensated, sends), "{said:?}");
        assert_eq!(undo_state(&world, &run).await, Undone::Undone, "{said:?}");
        let open = DeadFilter { state: Some(DeadState::Open), ..DeadFilter::default() };
        assert_eq!(world.store.dead(&open).await.unwrap(), [], "{said:?}");
    }
}

/// Sent again, it is refused because the first one landed, or for whatever reason: that ends no doubt.
#[tokio::test(start_paused = true)]
async fn a_refusal_of_a_second_sending_leaves_the_doubt() {
    let (world, run) = in_doubt(How::Fails).await;
    world.ledger.fails_once(UNDO, Fault::new(Kind::Conflict, Landed::No, "it is refunded"));
    world.engine.replay_dead(&world.dead().await.id, true, "ada").await.unwrap();
    world.called(UNDO, 2).await;
    let view = world.until(&run, |view| view.status == RunStatus::Parked).await;
    assert_eq!(view.unknown.as_deref(), Some("pay/undo"), "{view:#?}");
    let refused = world.engine.replay_dead(&world.dead().await.id, false, "ops").await.unwrap_err();
    assert_eq!(refused.code(), "flow.unsettled");
    world.engine.settle(run.as_str(), "pay/undo", None, "ada").await.unwrap();
    world.until(&run, |view| view.status == RunStatus::Compensated).await;
    assert_eq!(sent(&world), 3, "a person said that it did not land");
}

/// That its step landed says nothing of its undoing.
#[tokio::test(start_paused = true)]
async fn what_is_said_of_the_step_sends_no_undoing_again_that_may_have_landed() {
    let (world, run) = in_doubt(How::Fails).await;
    let _ = world.engine.settle(run.as_str(), "pay", Some(json!({ "id": "c_1" })), "ada").await;
    world.passes(std::time::Duration::from_secs(60)).await;
    let view = world.engine.view(run.as_str()).await.unwrap();
    assert_eq!((view.status, sent(&world)), (RunStatus::Parked, 1), "{view:#?}");
}

/// What was certainly turned down is known: it could not be undone, and may be tried again.
#[tokio::test(start_paused = true)]
async fn what_was_refused_is_no_doubt() {
    let flow = "do: [{ pay: { call: payments.charge, compensate: { call: payments.capture, with: { id: 1 } } } }, \
                { raise: { code: shop.closed, message: closed } }]";
    let world = World::of(flow).await;
    world.ledger.fails_once(UNDO, Fault::new(Kind::Refused, Landed::No, "too late"));
    let run = world.start("act_1", order()).await;
    let view = world.until(&run, |view| view.status == RunStatus::Parked).await;
    let rollback = view.rollback.unwrap();
    assert_eq!((view.unknown, rollback.not_undone), (None, vec!["pay".to_owned()]));
    assert_eq!(undo_state(&world, &run).await, Undone::Parked);
    world.engine.replay_dead(&world.dead().await.id, false, "ops").await.unwrap();
    world.until(&run, |view| view.status == RunStatus::Compensated).await;
}
