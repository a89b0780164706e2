//! Messages to a group: at most one member has it, and what follows goes to the one that may.

use std::time::Duration;

use port::{Fault, Kind, Landed};
use relay::{Settled, Tell};
use serde_json::json;
use store::{OutboxOp, OutboxStage};

use crate::world::{Does, World, busy, message, refused};

const MINUTE: Duration = Duration::from_secs(60);

fn world() -> World {
    World::of(["first", "second"])
}

fn acted(world: &World) -> (usize, usize) {
    (world.system("first").effects().len(), world.system("second").effects().len())
}

/// Takes the message, loses the answer, and then has no time for a while.
fn loses_one(world: &World, busy_for: usize) {
    let mut calls = 0;
    world.system("first").behaves(move |_| {
        calls += 1;
        match calls {
            1 => Does::Loses(Duration::from_millis(10)),
            n if n <= 1 + busy_for => Does::Fails(busy()),
            _ => Does::Answers(Duration::ZERO),
        }
    });
}

async fn revives(world: &World, again: bool) {
    let row = world.store.outbox_one("a/1").await.unwrap().unwrap();
    let tell = Tell { again, ..serde_json::from_slice(&row.payload).unwrap() };
    let payload = serde_json::to_vec(&tell).unwrap();
    let revive = OutboxOp::Revive { id: row.id, payload, perhaps: row.perhaps, now: row.due };
    world.does(vec![revive]).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn one_that_may_have_it_is_asked_again_under_its_key_and_nobody_else() {
    let world = world();
    loses_one(&world, 1);
    world.tells(&[message("all.keyed", "a", "1")]).await;
    world.passes(MINUTE).await;
    assert_eq!(acted(&world), (1, 0));
    let answer = world.answer("a", "1").await;
    assert!(
        matches!(&answer, Some(Settled::Delivered { member: Some(member), .. }) if member == "first"),
        "{answer:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_letter_of_it_is_replayed_there() {
    let world = world();
    loses_one(&world, 2);
    world.tells(&[message("all.keyed", "a", "1")]).await;
    world.passes(MINUTE).await;
    let letter = world.heard.letters.lock()[0].clone();
    assert_eq!((letter.system.as_str(), acted(&world)), ("first", (1, 0)));
    let answer = world.answer("a", "1").await;
    assert!(
        matches!(&answer, Some(Settled::Dead { member: Some(member), landed: Landed::Unknown, .. }) if member == "first"),
        "{answer:?}"
    );
    revives(&world, false).await;
    world.passes(MINUTE).await;
    assert_eq!((acted(&world), world.system("second").calls()), ((1, 0), 0));
}

/// Nobody wrote its end: the row says whom it was sent to.
#[tokio::test(start_paused = true)]
async fn after_a_crash_it_is_sent_again_to_whoever_was_asked() {
    for answers in [Duration::from_secs(5), Duration::ZERO] {
        let mut world = world();
        // Either the first has it when the process dies, or it has not, and the second has.
        let away = answers.is_zero();
        world.system("first").behaves(move |_| match away {
            true => Does::Fails(busy()),
            false => Does::Answers(answers),
        });
        world.system("second").behaves(|_| Does::Answers(Duration::from_secs(5)));
        world.tells(&[message("all.keyed", "a", "1")]).await;
        world.passes(Duration::from_secs(1)).await;
        world.dies_and_restarts().await;
        world.system("first").behaves(|_| Does::Answers(Duration::ZERO));
        world.passes(MINUTE).await;
        assert_eq!(acted(&world), if away { (0, 1) } else { (1, 0) });
        let calls = (world.system("first").calls(), world.system("second").calls());
        assert_eq!(calls, if away { (1, 2) } else { (2, 0) });
    }
}

#[tokio::test(start_paused = true)]
async fn what_certainly_did_not_land_at_one_goes_to_another() {
    let world = world();
    world.system("first").behaves(|_| Does::Fails(busy()));
    let mut away = 2;
    world.system("second").behaves(move |_| {
        away -= 1;
        if away >= 0 { Does::Fails(busy()) } else { Does::Answers(Duration::ZERO) }
    });
    world.tells(&[message("all.keyed", "a", "1")]).await;
    world.passes(MINUTE).await;
    assert_eq!(acted(&world), (0, 1));
    assert_eq!(world.system("first").calls(), 3, "asked again each time, for the second did not take it");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_counts_sets_it_free() {
    let world = world();
    let mut calls = 0;
    world.system("first").behaves(move |_| {
        calls += 1;
        match calls {
            1 => Does::Fails(Fault::new(Kind::Timeout, Landed::Unknown, "no answer")),
            _ => Does::Fails(refused()),
        }
    });
    world.tells(&[message("all.keyed", "a", "1")]).await;
    world.passes(MINUTE).await;
    let row = world.store.outbox_one("a/1").await.unwrap().unwrap();
    assert_eq!((row.stage, row.perhaps, world.system("second").calls()), (OutboxStage::Dead, false, 0));
    assert_eq!(world.heard.letters.lock()[0].system, "all");
    world.system("first").behaves(|_| Does::Fails(busy()));
    revives(&world, false).await;
    world.passes(MINUTE).await;
    assert_eq!(acted(&world), (0, 1));
}

/// It must not be repeated, and a person says that it is sent again: there, and once.
#[tokio::test(start_paused = true)]
async fn sent_again_by_a_person_it_goes_to_the_same_member_once() {
    let mut world = world();
    loses_one(&world, 1);
    world.tells(&[message("all.never", "a", "1")]).await;
    world.passes(MINUTE).await;
    assert_eq!((world.heard.letters.lock()[0].system.as_str(), world.system("first").calls()), ("first", 1));
    revives(&world, true).await;
    world.passes(MINUTE).await;
    let answer = world.answer("a", "1").await;
    assert!(matches!(answer, Some(Settled::Dead { landed: Landed::Unknown, .. })), "{answer:?}");
    assert_eq!(world.system("first").calls(), 2, "busy, and the first may still have landed");
    // Dies while it is out once more.
    world.system("first").behaves(|_| Does::Answers(Duration::from_secs(5)));
    revives(&world, true).await;
    world.passes(Duration::from_secs(1)).await;
    world.dies_and_restarts().await;
    world.passes(MINUTE).await;
    assert_eq!((world.system("first").calls(), world.system("second").calls()), (3, 0));
    assert_eq!(world.store.outbox_one("a/1").await.unwrap().unwrap().stage, OutboxStage::Dead);
    assert_eq!(world.system("first").effects(), [json!("a/1")]);
}
