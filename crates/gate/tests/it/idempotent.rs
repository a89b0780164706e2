//! `Idempotency-Key`.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use gate::{Auth, Limits};
use serde_json::json;
use store::Store;

use crate::fixture::{House, ask, fact};

const MAKE: &str = "/v1/conversations";

fn new() -> serde_json::Value {
    json!({"participants": [{"id": "local", "type": "human"}]})
}

#[tokio::test]
async fn the_first_answer_is_given_again() {
    let house = House::open().await;
    let key = [("idempotency-key", "k-1")];
    let first = house.post_with(MAKE, &key, &new()).await;
    assert_eq!(first.status, 201, "{}", first.text);
    let head = house.head();
    let again = house.post_with(MAKE, &key, &new()).await;
    assert_eq!((again.status, &again.text), (201, &first.text));
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(again.header("location"), first.header("location"));
    assert_eq!(house.head(), head);
}

#[tokio::test]
async fn b13_a_key_is_bound_to_its_request() {
    let house = House::open().await;
    let key = [("idempotency-key", "\"k-1\"")];
    house.post_with(MAKE, &key, &new()).await;
    let head = house.head();
    let mut other = new();
    other["channel"] = json!("voice");
    let refused = house.post_with(MAKE, &key, &other).await;
    assert_eq!((refused.status, refused.code()), (422, "idempotency.mismatch"));
    let elsewhere = house.post_with("/v1/conversations/conv_1/acts", &key, &ask("act_1", "size")).await;
    assert_eq!((elsewhere.status, elsewhere.code()), (422, "idempotency.mismatch"));
    assert_eq!(house.head(), head);
}

#[tokio::test]
async fn a_refusal_is_given_again_too() {
    let house = House::open().await;
    let key = [("idempotency-key", "k-1")];
    let first = house.post_with("/v1/conversations/conv_1/acts", &key, &json!({"id": "act_1"})).await;
    let again = house.post_with("/v1/conversations/conv_1/acts", &key, &json!({"id": "act_1"})).await;
    assert_eq!((first.status, again.status, &again.text), (400, 400, &first.text));
    assert_eq!(again.header("content-type"), "application/problem+json");
}

#[tokio::test]
async fn a_hundred_at_once_are_executed_once() {
    let house = House::open().await;
    let act = json!([fact("act_1", "n", json!(1)), fact("act_2", "m", json!(1))]);
    let calls =
        (0..100).map(|_| {
            let (house, act) = (house.clone(), act.clone());
            async move {
                house.post_with("/v1/conversations/conv_1/acts", &[("idempotency-key", "k-1")], &act).await
            }
        });
    let mut statuses = BTreeMap::new();
    for answer in join_all(calls).await {
        *statuses.entry((answer.status, answer.code().to_owned())).or_insert(0) += 1;
    }
    assert!(
        statuses.keys().all(|(status, code)| *status == 200 || code == "idempotency.in_progress"),
        "{statuses:?}"
    );
    assert!(statuses.contains_key(&(200, String::new())), "{statuses:?}");
    let processed = house.events("conversation-conv_1").await;
    assert_eq!(processed.iter().filter(|(type_, _)| type_ == "ActProcessed").count(), 2);
}

#[tokio::test]
async fn odd_keys_are_refused() {
    let house = House::open().await;
    let long = "k".repeat(256);
    for key in ["", "two words", long.as_str()] {
        let answer = house.post_with(MAKE, &[("idempotency-key", key)], &new()).await;
        assert_eq!((answer.status, answer.code()), (400, "idempotency.key"), "{key:?}");
    }
    assert_eq!(house.head(), 0);
}

/// A server that died between doing and answering: the next one completes, it does not repeat.
#[tokio::test]
async fn what_an_earlier_server_left_in_progress_is_completed() {
    let store = Store::temporary().unwrap();
    let first = House::over(store.clone(), Auth::Loopback, Limits::default()).await;
    let key = [("idempotency-key", "k-1")];
    let made = first.post_with(MAKE, &key, &new()).await;
    let record = store.key("default", "http/local/k-1").await.unwrap().unwrap();
    // As if the answer had not been kept: the claim of the dead server stands.
    let release = store::KeyOp::Release {
        tenant: record.tenant.clone(),
        key: record.key.clone(),
        owner: record.owner.clone(),
    };
    let unfinished =
        store::KeyRecord { state: store::KeyState::InProgress, key: "http/local/k-2".into(), ..record };
    let batch =
        store::Batch { keys: vec![release, store::KeyOp::Claim(unfinished)], ..store::Batch::default() };
    store.commit(batch).await.unwrap();
    let second = House::over(store.clone(), Auth::Loopback, Limits::default()).await;
    let same_server = first.post_with(MAKE, &[("idempotency-key", "k-2")], &new()).await;
    assert_eq!((same_server.status, same_server.code()), (409, "idempotency.in_progress"));
    let taken_over = second.post_with(MAKE, &[("idempotency-key", "k-2")], &new()).await;
    assert_eq!(taken_over.status, 201, "{}", taken_over.text);
    assert_ne!(taken_over.json["id"], made.json["id"]);
}
