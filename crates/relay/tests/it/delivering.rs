//! Each once, in order, with its answer kept.

use std::time::Duration;

use port::{Fault, Rejection};
use relay::Settled;
use serde_json::json;
use store::OutboxOp;

use crate::world::{Does, Message, World, busy, message, refused};

const SOON: Duration = Duration::from_millis(100);

#[tokio::test(start_paused = true)]
async fn messages_of_a_run_arrive_in_order_and_their_answers_are_kept() {
    let world = World::of(["crm"]);
    let run = ["one", "two", "three"].map(|step| message("crm.keyed", "run_1", step));
    world.tells(&run).await;
    world.passes(SOON).await;
    assert_eq!(world.system("crm").effects(), ["run_1/one", "run_1/two", "run_1/three"]);
    assert_eq!((world.system("crm").calls(), world.rows().await), (3, vec![]));
    let answer =
        Settled::Delivered { step: "two".into(), output: json!({ "id": 2 }), attempts: 1, member: None };
    assert_eq!(world.answer("run_1", "two").await, Some(answer));
    assert_eq!(*world.heard.settled.lock(), ["run_1"; 3]);
}

#[tokio::test(start_paused = true)]
async fn a_later_message_waits_for_an_earlier_one_that_is_tried_again_and_other_keys_go_on() {
    let world = World::of(["crm"]);
    let mut left = 2;
    world.system("crm").behaves(move |call| match &*call.input == "a/1" && left > 0 {
        true => {
            left -= 1;
            Does::Fails(busy())
        }
        false => Does::Answers(Duration::from_millis(1)),
    });
    let told =
        [message("crm.keyed", "a", "1"), message("crm.keyed", "a", "2"), message("crm.keyed", "b", "1")];
    world.tells(&told).await;
    world.passes(Duration::from_secs(10)).await;
    assert_eq!(world.system("crm").effects(), ["b/1", "a/1", "a/2"]);
}

#[tokio::test(start_paused = true)]
async fn messages_of_several_runs_with_one_key_arrive_in_order() {
    let world = World::of(["crm"]);
    let told = ["a", "b", "c"].map(|run| Message { key: "order-1", ..message("crm.keyed", run, "1") });
    world.tells(&told).await;
    world.passes(SOON).await;
    assert_eq!(world.system("crm").effects(), ["a/1", "b/1", "c/1"]);
    assert_eq!(world.system("crm").records.lock().most_at_once, 1);
}

#[tokio::test(start_paused = true)]
async fn a_dead_message_holds_its_key_until_somebody_decides() {
    let world = World::of(["crm"]);
    let mut first = true;
    world.system("crm").behaves(move |call| match &*call.input == "a/1" && std::mem::take(&mut first) {
        true => Does::Fails(refused()),
        false => Does::Answers(Duration::ZERO),
    });
    world.tells(&[message("crm.keyed", "a", "1"), message("crm.keyed", "a", "2")]).await;
    world.passes(Duration::from_secs(3600)).await;
    assert_eq!(world.system("crm").effects(), [""; 0]);
    let letter = world.heard.letters.lock()[0].clone();
    assert_eq!((letter.code.as_str(), letter.source.as_str()), ("call.refused", "a/1"));
    assert!(matches!(world.answer("a", "1").await, Some(Settled::Dead { landed: port::Landed::No, .. })));
    let row = world.store.outbox_one("a/1").await.unwrap().unwrap();
    let revive = OutboxOp::Revive {
        id: row.id,
        payload: row.payload,
        perhaps: false,
        now: port::Clock::now(&*world.clock),
    };
    world.does(vec![revive]).await.unwrap();
    world.passes(SOON).await;
    assert_eq!(world.system("crm").effects(), ["a/1", "a/2"]);
    assert!(matches!(world.answer("a", "1").await, Some(Settled::Delivered { .. })));
}

#[tokio::test(start_paused = true)]
async fn a_dead_message_that_may_be_skipped_lets_the_next_one_pass() {
    let world = World::of(["crm"]);
    world.system("crm").behaves(|call| match &*call.input == "a/1" {
        true => Does::Fails(refused()),
        false => Does::Answers(Duration::ZERO),
    });
    let skipped = Message { holds: false, ..message("crm.keyed", "a", "1") };
    world.tells(&[skipped, message("crm.keyed", "a", "2")]).await;
    world.passes(SOON).await;
    assert_eq!(world.system("crm").effects(), ["a/2"]);
    assert_eq!(world.heard.letters.lock().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_a_guard_keeps_in_spends_no_attempt() {
    let world = World::of(["crm"]);
    let mut left = 20;
    world.system("crm").behaves(move |_| match left {
        0 => Does::Answers(Duration::ZERO),
        _ => {
            left -= 1;
            Does::Fails(Fault::rejected(Rejection::RateLimited, Some(Duration::from_secs(1))))
        }
    });
    world.tells(&[message("crm.keyed", "a", "1")]).await;
    world.passes(SOON).await;
    let row = world.rows().await.pop().unwrap();
    assert_eq!((row.attempts, row.blocked.as_deref()), (0, Some("rate_limited")));
    world.passes(Duration::from_secs(60)).await;
    assert_eq!(world.system("crm").effects(), ["a/1"]);
}

#[tokio::test(start_paused = true)]
async fn a_message_to_what_is_not_configured_waits_until_it_is() {
    let world = World::of(["crm"]);
    world.tells(&[message("gone.keyed", "a", "1"), message("crm.keyed", "a", "1b")]).await;
    world.passes(Duration::from_secs(600)).await;
    assert_eq!(world.system("crm").effects(), ["a/1b"]);
    let row = world.store.outbox_one("a/1").await.unwrap().unwrap();
    assert_eq!((row.blocked.as_deref(), row.attempts), (Some("blocked"), 0));
    assert_eq!(world.heard.letters.lock().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn stopping_waits_for_deliveries_in_flight() {
    let world = World::of(["crm"]);
    world.system("crm").behaves(|_| Does::Answers(Duration::from_secs(2)));
    world.tells(&[message("crm.keyed", "a", "1"), message("crm.keyed", "a", "2")]).await;
    world.passes(SOON).await;
    world.relay.stop(Duration::from_secs(10)).await;
    assert_eq!(world.system("crm").effects(), ["a/1"]);
    let left: Vec<_> = world.rows().await.into_iter().map(|row| row.id).collect();
    assert_eq!(left, ["a/2"]);
}
