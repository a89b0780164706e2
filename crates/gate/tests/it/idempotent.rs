//! `Idempotency-Key`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use gate::{Auth, Limits, Observer};
use serde_json::json;
use store::Store;

use crate::fixture::{House, ask, asked, deps, fact};

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

/// A server that died between doing and answering, or a request that could not give its key back: whoever comes next
/// completes, and does not repeat.
#[tokio::test]
async fn a_claim_that_nobody_works_under_is_taken_over() {
    let store = Store::temporary().unwrap();
    let first = House::over(store.clone(), Auth::Loopback, Limits::default()).await;
    let made = first.post_with(MAKE, &[("idempotency-key", "k-1")], &new()).await;
    let record = store.key("default", "http/local/k-1").await.unwrap().unwrap();
    let second = House::over(store.clone(), Auth::Loopback, Limits::default()).await;
    for (house, key) in [(first, "k-2"), (second, "k-3")] {
        let key_of = format!("http/local/{key}");
        let unfinished =
            store::KeyRecord { state: store::KeyState::InProgress, key: key_of, ..record.clone() };
        let keys = vec![store::KeyOp::Claim(unfinished)];
        store.commit(store::Batch { keys, ..store::Batch::default() }).await.unwrap();
        let taken_over = house.post_with(MAKE, &[("idempotency-key", key)], &new()).await;
        assert_eq!(taken_over.status, 201, "{key}: {}", taken_over.text);
        assert_ne!(taken_over.json["id"], made.json["id"]);
    }
}

/// A claim is held as long as its request, however long that takes.
#[tokio::test]
async fn a_key_is_in_progress_while_its_request_is() {
    let ask = json!([{"size": {"ask": {"field": "size", "prompt": "Which size?", "entity": "order_1"}}}]);
    let flow = json!({"on": {"commit": {"system": "order_management", "action": "create"}}, "do": ask});
    let house = House::running(&flow).await;
    let headers = &[("idempotency-key", "k-1"), ("prefer", "wait=30")];
    let commit = json!({
        "id": "act_1", "timestamp": "2026-01-01T00:00:01Z", "speaker": "local", "type": "commit",
        "entity": "order_1", "action": "create", "system": "order-management",
    });
    let acts = "/v1/conversations/conv_1/acts";
    let (caller, act) = (house.clone(), commit.clone());
    let first = tokio::spawn(async move { caller.post_with(acts, headers, &act).await });
    asked(&house, 1).await;
    let repeat = house.post_with(acts, headers, &commit).await;
    assert_eq!((repeat.status, repeat.code()), (409, "idempotency.in_progress"), "{}", repeat.text);
    assert_eq!(house.post(acts, &fact("act_2", "size", json!("large"))).await.status, 200);
    let first = first.await.unwrap();
    assert_eq!(first.json["integrations"][0]["status"], "success", "{}", first.text);
    let again = house.post_with(acts, headers, &commit).await;
    assert_eq!((again.status, &again.text), (200, &first.text));
    assert_eq!(again.header("idempotency-replayed"), "true");
}

/// Panics at the first act.
struct Once(AtomicBool);

impl Observer for Once {
    fn act(&self, _: &str, _: bool, _: Duration) {
        assert!(self.0.swap(true, Ordering::Relaxed), "a defect, meant by the test");
    }
}

#[tokio::test]
async fn a_panic_gives_the_key_back() {
    let store = Store::temporary().unwrap();
    let mut deps = deps(store.clone(), Auth::Loopback, Limits::default()).await;
    deps.observer = Arc::new(Once(AtomicBool::new(false)));
    let house = House { router: gate::router(deps), store, token: None };
    let (key, act) = ([("idempotency-key", "k-1")], json!({"no": "act"}));
    let say = || house.post_with("/v1/conversations/conv_1/acts", &key, &act);
    let broken = say().await;
    assert_eq!((broken.status, broken.code()), (500, "internal"), "{}", broken.text);
    let again = say().await;
    assert_eq!((again.status, again.code()), (400, "act.invalid"), "{}", again.text);
}
