//! Acts are admitted, decided, committed and answered: as one batch or not at all.

use std::sync::atomic::Ordering;
use std::time::Duration;

use conversation::{Code, Error};
use store::Store;

use crate::room::{Flows, caller, commit, fact, request, room, runs, says, version};

#[tokio::test]
async fn acts_and_what_they_set_in_motion_are_one_batch() {
    let (store, flows) = (Store::inline().unwrap(), Flows::default());
    let answer =
        room(&store).take(says(&flows, &[fact("act_1", "a"), commit("act_2", "shop")])).await.unwrap();
    assert_eq!(runs(&answer), ["sells-act_2"]);
    assert_eq!(version(&store, "run-sells-act_2").await, 1);
    assert_eq!(flows.counts(), (1, 1));
    let head = *store.head().borrow();
    assert!(answer.verdicts.iter().flatten().all(|taken| taken.position == head), "one commit for both");
}

#[tokio::test]
async fn what_cannot_be_set_in_motion_is_refused_and_nothing_is_written() {
    let (store, flows) = (Store::inline().unwrap(), Flows::default());
    let acts = [commit("act_1", "shop"), commit("act_2", "wall")];
    let refused = room(&store).take(says(&flows, &acts)).await.unwrap_err();
    assert_eq!(refused.code(), Some(Code::ActRefused), "{refused}");
    assert_eq!((*store.head().borrow(), flows.counts()), (0, (1, 0)));
}

#[tokio::test]
async fn a_refusal_points_at_the_member_at_fault() {
    let (store, flows) = (Store::inline().unwrap(), Flows::default());
    let mut submission = says(&flows, &[fact("act_1", "a")]);
    submission.request.caller = caller("bob", "acme");
    let Err(Error::Refused(refusal)) = room(&store).take(submission).await else {
        panic!("expected a refusal")
    };
    assert_eq!((refusal.code, refusal.code.as_str()), (Code::ActSpeaker, "act.speaker_mismatch"));
    assert_eq!(refusal.issues[0].pointer, "/speaker");
    assert_eq!(*store.head().borrow(), 0);
}

#[tokio::test]
async fn another_organisations_conversation_is_denied() {
    let (store, flows) = (Store::inline().unwrap(), Flows::default());
    let room = room(&store);
    room.take(says(&flows, &[fact("act_1", "a")])).await.unwrap();
    let mut submission = says(&flows, &[fact("act_2", "b")]);
    submission.request = request(caller("ann", "other"), &flows);
    let denied = room.take(submission).await.unwrap_err();
    assert_eq!(denied.code(), Some(Code::ConversationDenied));
    room.take(says(&flows, &[fact("act_2", "b")])).await.unwrap();
}

/// Another process, or another room over the same store, has written meanwhile.
#[tokio::test]
async fn what_was_overtaken_is_decided_again_with_a_plan_of_its_own() {
    let (store, flows, other) = (Store::inline().unwrap(), Flows::default(), Flows::default());
    let late = room(&store);
    late.take(says(&flows, &[fact("act_1", "a")])).await.unwrap();
    room(&store).take(says(&other, &[fact("act_2", "b")])).await.unwrap();
    let answer = late.take(says(&flows, &[commit("act_3", "shop")])).await.unwrap();
    assert_eq!(runs(&answer), ["sells-act_3"]);
    assert_eq!(flows.counts(), (3, 2), "the plan of the batch that was refused has done nothing");
    assert_eq!(version(&store, "run-sells-act_3").await, 1);
}

#[tokio::test]
async fn the_same_act_again_sets_nothing_in_motion() {
    let (store, flows) = (Store::inline().unwrap(), Flows::default());
    let room = room(&store);
    room.take(says(&flows, &[commit("act_1", "shop")])).await.unwrap();
    let head = *store.head().borrow();
    let again = room.take(says(&flows, &[commit("act_1", "shop")])).await.unwrap();
    assert!(again.verdicts.iter().flatten().all(|taken| taken.replayed));
    assert_eq!((runs(&again), *store.head().borrow()), (vec!["sells-act_1"], head));
}

/// The run is durable, so somebody has to wake it.
#[tokio::test]
async fn who_leaves_leaves_runs_that_are_woken() {
    let (store, flows) = (Store::temporary().unwrap(), Flows::default());
    flows.weight.store(4 << 20, Ordering::SeqCst);
    let room = room(&store);
    let mut said = 0;
    // Until one leaves while its batch is being written; that takes a moment, but how long is not ours to say.
    let left = loop {
        said += 1;
        let run = format!("act_{said}");
        tokio::select! {
            biased;
            _ = room.take(says(&flows, &[commit(&run, "shop")])) => flows.begun.notified().await,
            () = flows.begun.notified() => break format!("run-sells-{run}"),
        }
    };
    let woken = async {
        while flows.counts() != (said, said) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), woken).await.unwrap();
    assert_eq!(version(&store, &left).await, 1);
}
