//! Runs speak through the same room: their acts, their questions and their own rows are one commit.

use conversation::{
    Answering, By, Closing, ConversationPort, Conversations, Outgoing, OutgoingAct, OutgoingQuestion,
    OutgoingWait, Want,
};
use serde_json::{Value, json};
use store::{Append, Batch, Expected, NewEvent, Store};

use crate::room::{Flows, caller, commit, fact, room, says, version};

/// A conversation that has begun.
async fn begun() -> (Store, Flows, Conversations) {
    let (store, flows) = (Store::inline().unwrap(), Flows::default());
    let room = room(&store);
    room.take(says(&flows, &[fact("act_1", "a")])).await.unwrap();
    (store, flows, room)
}

fn outgoing(conversation: &str, acts: Vec<OutgoingAct>) -> Outgoing {
    Outgoing {
        tenant: "acme".to_owned(),
        conversation: conversation.to_owned(),
        run: "run_1".to_owned(),
        speaker: "sells".to_owned(),
        correlation: "c".to_owned(),
        acts,
        ..Outgoing::default()
    }
}

/// What the run writes itself.
fn rows(expected: Expected) -> Batch {
    let event = NewEvent {
        type_: "StepSucceeded".into(),
        data: b"{}".to_vec(),
        at: jiff::Timestamp::UNIX_EPOCH,
        tenant: "acme".into(),
        correlation: "c".into(),
        causation: None,
    };
    let append = Append { stream: "run-run_1".to_owned(), expected, events: vec![event] };
    Batch { appends: vec![append], ..Batch::default() }
}

fn emitted() -> OutgoingAct {
    let Value::Object(mut body) = commit("act_x", "shop") else { panic!("expected an object") };
    ["id", "timestamp", "speaker"].iter().for_each(|member| drop(body.remove(*member)));
    OutgoingAct { id: "run_1/emit~0".to_owned(), body: Value::Object(body) }
}

#[tokio::test]
async fn what_a_run_says_and_writes_is_one_commit() {
    let (store, flows, room) = begun().await;
    let own = Flows::default();
    let before = *store.head().borrow();
    let receipt =
        room.say(outgoing("conv_1", vec![emitted()]), rows(Expected::NoStream), &own).await.unwrap();
    assert_eq!((receipt.first, receipt.position), (before + 1, *store.head().borrow()));
    assert_eq!(version(&store, "run-run_1").await, 1);
    // What its commit sets in motion is planned by what the run has handed over, and by nobody else.
    assert_eq!((own.counts(), flows.counts()), ((1, 1), (1, 1)));
}

#[tokio::test]
async fn a_run_that_was_taken_over_says_nothing() {
    let (store, _, room) = begun().await;
    let (own, head) = (Flows::default(), *store.head().borrow());
    let refused = room.say(outgoing("conv_1", vec![emitted()]), rows(Expected::Version(7)), &own).await;
    assert!(matches!(refused, Err(store::Error::Version { .. })), "{refused:?}");
    assert_eq!((*store.head().borrow(), own.counts()), (head, (1, 0)));
}

#[tokio::test]
async fn a_run_goes_on_where_nobody_listens() {
    let (store, flows, room) = begun().await;
    assert!(!room.is_open("acme", "conv_2").await.unwrap() && room.is_open("acme", "conv_1").await.unwrap());
    room.say(outgoing("conv_2", vec![emitted()]), rows(Expected::NoStream), &flows).await.unwrap();
    assert_eq!((version(&store, "run-run_1").await, version(&store, "conversation-conv_2").await), (1, 0));
}

#[tokio::test]
async fn a_run_hears_the_answer_to_its_question_by_the_plan_of_who_answers() {
    let (_, flows, room) = begun().await;
    let body = json!({
        "type": "confirm", "entity": "order_1", "summary": "Sure?", "awaiting": true,
        "metadata": { "cardan": { "question": "qst_1" } },
    });
    let question = OutgoingQuestion {
        id: "qst_1".to_owned(),
        text: "Sure?".to_owned(),
        shows: Value::Null,
        by: By::default(),
        committer: None,
        expires: None,
    };
    let want = Want::Confirm { entity: Some("order_1".to_owned()) };
    let wait = OutgoingWait { run: "run_1".to_owned(), step: "sure".to_owned(), want, question };
    let asks = OutgoingAct { id: "run_1/sure~0".to_owned(), body };
    let asked = Outgoing { waits: vec![wait], ..outgoing("conv_1", vec![asks]) };
    room.say(asked, rows(Expected::NoStream), &Flows::default()).await.unwrap();

    let found = room.question(&caller("ann", "acme"), "qst_1").await.unwrap();
    assert_eq!(found.conversation(), "conv_1");
    let yes = json!({
        "id": "act_2", "timestamp": "2026-01-01T00:00:00Z", "speaker": "ann", "type": "confirm",
        "entity": "order_1", "summary": "Sure?", "awaiting": false, "confirmed": true,
        "metadata": { "cardan": { "question": "qst_1" } },
    });
    let mut answers = says(&flows, &[yes]);
    answers.answering = Some(Answering { question: "qst_1", done: None });
    room.take(answers).await.unwrap();
    let told = flows.told.lock();
    let [signal] = &**told else { panic!("{told:?}") };
    assert_eq!(
        (signal.run.as_str(), signal.question.as_deref(), signal.how),
        ("run_1", Some("qst_1"), Closing::Answered)
    );
    assert_eq!(signal.payload["confirmed"], true);
}
