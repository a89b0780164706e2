//! Outcomes that nobody knows: what is keyed is sent again under its key, what is never waits for a person.

use std::time::Duration;

use port::{Clock, Fault, Kind, Landed};
use relay::Settled;
use store::OutboxStage;

use crate::world::{Does, Message, World, message, refused};

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test(start_paused = true)]
async fn a_keyed_message_whose_answer_is_lost_is_sent_again_and_acts_once() {
    let world = World::of(["crm"]);
    let mut lost = false;
    world.system("crm").behaves(move |_| match std::mem::replace(&mut lost, true) {
        false => Does::Loses(Duration::from_millis(10)),
        true => Does::Answers(Duration::ZERO),
    });
    world.tells(&[message("crm.keyed", "a", "1")]).await;
    world.passes(MINUTE).await;
    assert_eq!((world.system("crm").calls(), world.system("crm").effects().len()), (2, 1));
    assert!(
        matches!(world.answer("a", "1").await, Some(Settled::Delivered { output, .. }) if output["id"] == 1)
    );
}

#[tokio::test(start_paused = true)]
async fn a_never_message_whose_answer_is_lost_waits_for_a_person_and_holds_its_key() {
    let world = World::of(["crm"]);
    world.system("crm").behaves(|_| Does::Loses(Duration::from_millis(10)));
    world.tells(&[message("crm.never", "a", "1"), message("crm.never", "a", "2")]).await;
    world.passes(Duration::from_secs(3600)).await;
    assert_eq!(world.system("crm").effects(), ["a/1"]);
    let row = world.store.outbox_one("a/1").await.unwrap().unwrap();
    assert_eq!((row.stage, row.perhaps), (OutboxStage::Dead, true));
    let letter = world.heard.letters.lock()[0].clone();
    assert!(letter.message.ends_with("nobody knows whether it arrived"), "{}", letter.message);
    assert!(matches!(world.answer("a", "1").await, Some(Settled::Dead { landed: Landed::Unknown, .. })));
}

#[tokio::test(start_paused = true)]
async fn a_never_message_that_was_refused_is_dead_and_certainly_did_not_arrive() {
    let world = World::of(["crm"]);
    world.system("crm").behaves(|_| Does::Fails(refused()));
    world.tells(&[message("crm.never", "a", "1")]).await;
    world.passes(MINUTE).await;
    let row = world.store.outbox_one("a/1").await.unwrap().unwrap();
    assert_eq!((row.stage, row.perhaps, world.system("crm").calls()), (OutboxStage::Dead, false, 1));
}

#[tokio::test(start_paused = true)]
async fn a_process_that_dies_while_messages_are_out_sends_only_the_keyed_one_again() {
    let mut world = World::of(["crm"]);
    world.system("crm").behaves(|_| Does::Answers(Duration::from_secs(5)));
    world.tells(&[message("crm.keyed", "a", "1"), message("crm.never", "b", "1")]).await;
    world.passes(Duration::from_secs(1)).await;
    world.dies_and_restarts().await;
    world.passes(MINUTE).await;
    assert_eq!(world.system("crm").calls(), 3);
    assert_eq!(world.heard.letters.lock()[0].code, "flow.interrupted");
    assert!(matches!(world.answer("a", "1").await, Some(Settled::Delivered { .. })));
}

#[tokio::test(start_paused = true)]
async fn in_progress_is_no_answer_and_spends_no_attempt() {
    let world = World::of(["crm"]);
    let mut calls = 0;
    world.system("crm").behaves(move |_| {
        calls += 1;
        let again = Some(Duration::from_secs(2));
        match calls {
            1 => Does::Loses(Duration::ZERO),
            2..30 => Does::Fails(Fault::new(Kind::InProgress, Landed::Unknown, "in progress").after(again)),
            _ => Does::Answers(Duration::ZERO),
        }
    });
    world.tells(&[message("crm.keyed", "a", "1")]).await;
    world.passes(Duration::from_secs(120)).await;
    assert!(matches!(world.answer("a", "1").await, Some(Settled::Delivered { .. })));
    assert_eq!(world.system("crm").effects().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_in_progress_for_too_long_waits_for_a_person() {
    let world = World::of(["crm"]);
    let again = Some(Duration::from_secs(2));
    world.system("crm").behaves(move |_| {
        Does::Fails(Fault::new(Kind::InProgress, Landed::Unknown, "in progress").after(again))
    });
    world.tells(&[message("crm.keyed", "a", "1")]).await;
    world.passes(Duration::from_secs(590)).await;
    assert_eq!(world.heard.letters.lock().len(), 0);
    world.passes(Duration::from_secs(60)).await;
    assert_eq!(world.heard.letters.lock().len(), 1);
    assert!(world.store.outbox_one("a/1").await.unwrap().unwrap().perhaps);
}

/// The second sending is refused because the first one landed, or is about to: that proves nothing yet.
#[tokio::test(start_paused = true)]
async fn a_refusal_of_a_second_sending_counts_only_when_the_first_has_settled() {
    let world = World::of(["crm"]);
    let mut calls = 0;
    world.system("crm").behaves(move |_| {
        calls += 1;
        match calls {
            1 => Does::Fails(Fault::new(Kind::Timeout, Landed::Unknown, "no answer")),
            _ => Does::Fails(refused()),
        }
    });
    let began = world.clock.now();
    world.tells(&[message("crm.keyed", "a", "1")]).await;
    world.passes(MINUTE).await;
    let calls = world.system("crm").records.lock().calls.clone();
    let times: Vec<_> = calls.iter().map(|(at, _)| at.duration_since(began).as_secs()).collect();
    assert_eq!((times.len(), times[2]), (3, 5), "{times:?}");
    let row = world.store.outbox_one("a/1").await.unwrap().unwrap();
    assert_eq!((row.stage, row.perhaps), (OutboxStage::Dead, false));
}

#[tokio::test(start_paused = true)]
async fn a_message_that_arrived_and_whose_answer_is_unreadable_is_delivered_or_asked_for_again() {
    let world = World::of(["crm"]);
    let garbled = Fault::new(Kind::Protocol, Landed::Yes, "not JSON");
    let mut garble = 1;
    world.system("crm").behaves(move |call| match &*call.input == "b/1" && garble == 0 {
        true => Does::Answers(Duration::ZERO),
        false => {
            garble -= i32::from(&*call.input == "b/1");
            Does::Fails(garbled.clone())
        }
    });
    let undone = Message { undone: true, ..message("crm.keyed", "b", "1") };
    world.tells(&[message("crm.keyed", "a", "1"), undone]).await;
    world.passes(MINUTE).await;
    assert!(
        matches!(world.answer("a", "1").await, Some(Settled::Delivered { output, .. }) if output.is_null())
    );
    assert!(
        matches!(world.answer("b", "1").await, Some(Settled::Delivered { output, .. }) if output["id"] == 1)
    );
    assert_eq!(world.heard.letters.lock().len(), 0);
}
