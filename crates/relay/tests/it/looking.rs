//! A message that must not be sent twice and may have arrived is looked up, when it says how; it holds only its key.

use std::sync::atomic::Ordering;
use std::time::Duration;

use port::{Clock, Fault, Kind, Landed};
use relay::{NotFound, Settled};
use serde_json::json;
use store::OutboxStage;

use crate::world::{Does, Message, World, message};

const HOUR: Duration = Duration::from_secs(3600);

fn looked_up<'a>(run: &'a str, step: &'a str, not_found: NotFound) -> Message<'a> {
    Message { look: Some(not_found), ..message("crm.never", run, step) }
}

/// Whose first call acts, and loses its answer.
fn loses_once(world: &World) {
    let mut lost = false;
    world.system("crm").behaves(move |_| match std::mem::replace(&mut lost, true) {
        false => Does::Loses(Duration::from_millis(10)),
        true => Does::Answers(Duration::from_millis(10)),
    });
}

impl World {
    fn finds(&self, found: impl IntoIterator<Item = Result<Option<serde_json::Value>, Fault>>) {
        self.heard.finds.lock().extend(found);
    }

    fn looks(&self) -> usize {
        self.heard.looks.load(Ordering::SeqCst)
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_found_is_delivered_with_its_answer_and_sent_once() {
    let world = World::of(["crm"]);
    loses_once(&world);
    world.finds([
        Ok(None),
        Err(Fault::new(Kind::Unavailable, Landed::No, "away")),
        Ok(Some(json!({"id": 7}))),
    ]);
    world.tells(&[looked_up("a", "1", NotFound::Park), message("crm.never", "a", "2")]).await;
    world.passes(HOUR).await;
    assert_eq!((world.system("crm").effects(), world.looks()), (vec![json!("a/1"), json!("a/2")], 3));
    let told = world.answer("a", "1").await;
    assert!(matches!(&told, Some(Settled::Delivered { output, .. }) if output["id"] == 7), "{told:?}");
    assert_eq!(world.heard.letters.lock().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn while_nobody_knows_it_holds_its_key_and_nobody_else_and_says_so() {
    let world = World::of(["crm"]);
    loses_once(&world);
    world.tells(&[looked_up("a", "1", NotFound::Park)]).await;
    world.passes(Duration::from_secs(1)).await;
    world.tells(&[message("crm.never", "a", "2"), message("crm.never", "b", "1")]).await;
    world.passes(Duration::from_secs(9)).await;
    assert_eq!(world.system("crm").effects(), ["a/1", "b/1"], "its key waits, others do not");
    let row = world.store.outbox_one("a/1").await.unwrap().unwrap();
    assert_eq!((row.stage, row.blocked.as_deref()), (OutboxStage::Ready, Some("verifying")));
    assert!(row.cause.unwrap().contains("nothing found yet"));
    // Nothing found for so long that a person decides.
    world.passes(HOUR).await;
    let letter = world.heard.letters.lock()[0].clone();
    assert_eq!(letter.code, "flow.outcome_unknown");
    let told = world.answer("a", "1").await;
    assert!(matches!(told, Some(Settled::Dead { landed: Landed::Unknown, .. })), "{told:?}");
    assert_eq!(world.system("crm").effects(), ["a/1", "b/1"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_there_is_sent_again_or_is_dead_once_it_has_settled() {
    for (not_found, calls) in [(NotFound::Send, 2), (NotFound::Fail, 1)] {
        let world = World::of(["crm"]);
        let mut away = false;
        world.system("crm").behaves(move |_| match std::mem::replace(&mut away, true) {
            false => Does::Fails(Fault::new(Kind::Timeout, Landed::Unknown, "no answer")),
            true => Does::Answers(Duration::ZERO),
        });
        let began = world.clock.now();
        world.tells(&[looked_up("a", "1", not_found)]).await;
        world.passes(Duration::from_millis(4900)).await;
        assert_eq!((world.system("crm").calls(), world.looks()), (1, 1), "it has not settled yet");
        world.passes(HOUR).await;
        assert_eq!((world.system("crm").calls(), world.looks()), (calls, 2));
        let last = world.system("crm").records.lock().calls.last().unwrap().0;
        let told = world.answer("a", "1").await;
        match not_found {
            NotFound::Send => {
                assert_eq!(last.duration_since(began).as_secs(), 5);
                assert!(matches!(told, Some(Settled::Delivered { .. })), "{told:?}");
            }
            _ => assert!(matches!(told, Some(Settled::Dead { landed: Landed::No, .. })), "{told:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_never_found_is_not_sent_for_ever() {
    let world = World::of(["crm"]);
    world.system("crm").behaves(|_| Does::Fails(Fault::new(Kind::Timeout, Landed::Unknown, "no answer")));
    world.tells(&[looked_up("a", "1", NotFound::Send)]).await;
    world.passes(HOUR).await;
    assert_eq!(world.system("crm").calls(), 3, "as often as a message is tried");
    assert_eq!(world.heard.letters.lock()[0].code, "flow.not_found");
}

#[tokio::test(start_paused = true)]
async fn a_look_up_that_never_answers_leaves_it_to_a_person() {
    let world = World::of(["crm"]);
    loses_once(&world);
    let away = || Err(Fault::new(Kind::Unavailable, Landed::No, "away"));
    world.finds(std::iter::repeat_with(away).take(1000));
    world.tells(&[looked_up("a", "1", NotFound::Send)]).await;
    world.passes(HOUR).await;
    assert_eq!((world.heard.letters.lock().len(), world.system("crm").calls()), (1, 1));
    assert!(world.looks() < 40, "the longer it goes on the less often: {}", world.looks());
}

#[tokio::test(start_paused = true)]
async fn after_a_crash_it_is_looked_up_too() {
    let mut world = World::of(["crm"]);
    world.system("crm").behaves(|_| Does::Answers(Duration::from_secs(5)));
    world.tells(&[looked_up("a", "1", NotFound::Park)]).await;
    world.passes(Duration::from_secs(1)).await;
    world.dies_and_restarts().await;
    world.finds([Ok(None), Ok(Some(json!(1)))]);
    world.passes(HOUR).await;
    assert_eq!((world.system("crm").calls(), world.looks()), (1, 2));
    assert!(matches!(world.answer("a", "1").await, Some(Settled::Delivered { .. })));
}
