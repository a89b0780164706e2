//! `Idempotency-Key`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use conversation::Telemetry;
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
async fn a_refusal_is_given_again_and_not_kept() {
    let house = House::open().await;
    let key = [("idempotency-key", "k-1")];
    let first = house.post_with("/v1/conversations/conv_1/acts", &key, &json!({"id": "act_1"})).await;
    let again = house.post_with("/v1/conversations/conv_1/acts", &key, &json!({"id": "act_1"})).await;
    assert_eq!((first.status, again.status, &again.text), (400, 400, &first.text));
    assert_eq!(again.header("content-type"), "application/problem+json");
    let kept =
        house.store.query("SELECT key FROM keys", 10, std::time::Duration::from_secs(5)).await.unwrap();
    assert_eq!(kept.rows, Vec::<Vec<store::Cell>>::new(), "nothing was done");
    let right = json!([fact("act_1", "n", json!(1))]);
    let done = house.post_with("/v1/conversations/conv_1/acts", &key, &right).await;
    assert_eq!(done.status, 200, "{}", done.text);
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
    let record = store.key("default", &named("local", "k-1")).await.unwrap().unwrap();
    let unfinished = |key| {
        let (key, state) = (named("local", key), store::KeyState::InProgress);
        vec![store::KeyOp::Claim(store::KeyRecord { state, key, ..record.clone() })]
    };
    let keys = [unfinished("k-2"), unfinished("k-3")].concat();
    store.commit(store::Batch { keys, ..store::Batch::default() }).await.unwrap();
    for (key, again) in [("k-2", false), ("k-3", true)] {
        let house = match again {
            false => first.clone(),
            true => {
                let store = store.take_over().await.unwrap();
                House::over(store, Auth::Loopback, Limits::default()).await
            }
        };
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

impl Observer for Once {}

impl Telemetry for Once {
    fn on_act(&self, _: &str, _: bool, _: Duration) {
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

/// How the record of a caller's key is called.
fn named(subject: &str, key: &str) -> String {
    let mut digest = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    for part in ["cardan request key 1", subject, key] {
        digest.update(&(part.len() as u64).to_le_bytes());
        digest.update(part.as_bytes());
    }
    digest.finish().as_ref().iter().fold("request/".to_owned(), |name, byte| name + &format!("{byte:02x}"))
}

/// Panics as soon as a conversation has begun or ended: the work is durable, and nothing was answered.
struct Begun(AtomicBool);

impl Observer for Begun {}

impl Telemetry for Begun {
    fn on_active(&self, _: i64) {
        assert!(self.0.swap(true, Ordering::Relaxed), "killed between work and answer, meant by the test");
    }
}

async fn killed(store: &Store) -> House {
    let mut deps = deps(store.clone(), Auth::Loopback, Limits::default()).await;
    let observer = Arc::new(Begun(AtomicBool::new(false)));
    deps.conversations = Arc::new(conversation::Conversations::new(
        store.clone(),
        conversation::Deciding { acts: act::Rules::strict(), rules: react::Rules::default() },
        conversation::Limits::default(),
        Arc::new(port::SystemClock),
        observer,
    ));
    House { router: gate::router(deps), store: store.clone(), token: None }
}

/// Claim, work and answer are one commit.
#[tokio::test]
async fn what_was_done_before_a_kill_is_answered_after_it() {
    let store = Store::temporary().unwrap();
    let mut made = new();
    made["id"] = json!("conv_1");
    let requests = [(MAKE, made, 201), ("/v1/conversations/conv_1/end", json!({"status": "failed"}), 200)];
    for (number, (path, body, status)) in requests.into_iter().enumerate() {
        let key = format!("k-{number}");
        let key = [("idempotency-key", key.as_str())];
        let broken = killed(&store).await.post_with(path, &key, &body).await;
        assert_eq!(broken.status, 500, "{}", broken.text);
        let head = *store.head().borrow();
        let after = House::over(store.clone(), Auth::Loopback, Limits::default()).await;
        let answer = after.post_with(path, &key, &body).await;
        assert_eq!((answer.status, &answer.json["id"]), (status, &json!("conv_1")), "{}", answer.text);
        assert_eq!((answer.header("idempotency-replayed"), after.head()), ("true".to_owned(), head));
        assert_eq!(answer.header("cardan-position"), head.to_string());
    }
    let after = House::over(store, Auth::Loopback, Limits::default()).await;
    let first = after
        .post_with(
            MAKE,
            &[("idempotency-key", "k-0")],
            &json!({"id": "conv_1", "participants": new()["participants"]}),
        )
        .await;
    assert_eq!(
        (first.status, &first.json["status"]),
        (201, &json!("active")),
        "as it was answered: {}",
        first.text
    );
}

/// 0.1.0 joined caller and key with a `/`.
#[tokio::test]
async fn what_an_older_version_answered_is_answered_again() {
    let store = Store::temporary().unwrap();
    let house = House::over(store.clone(), Auth::Loopback, Limits::default()).await;
    let first = house.post_with(MAKE, &[("idempotency-key", "k")], &new()).await;
    let record = store.key("default", &named("local", "k")).await.unwrap().unwrap();
    for (key, old) in [("o", "http/local/o"), ("b/k", "http/local/b/k")] {
        let there = store::KeyRecord { key: old.to_owned(), ..record.clone() };
        let keys = vec![store::KeyOp::Claim(there)];
        store.commit(store::Batch { keys, ..store::Batch::default() }).await.unwrap();
        let head = house.head();
        let again = house.post_with(MAKE, &[("idempotency-key", key)], &new()).await;
        match key.contains('/') {
            false => assert_eq!((again.status, &again.text), (201, &first.text)),
            // Perhaps it is another caller's: nobody can say.
            true => assert_eq!((again.status, again.code()), (422, "idempotency.mismatch")),
        }
        assert_eq!(house.head(), head, "nothing is made");
    }
}

/// A run's command that was carried out is not carried out again, and is answered by how the run stands.
#[tokio::test]
async fn a_command_that_was_done_before_a_kill_is_answered_after_it() {
    let house = House::running(&json!({"on": {"commit": {"system": "shop"}}, "do": [{"wait": "1h"}]})).await;
    let commit = json!({
        "id": "act_1", "timestamp": "2026-01-01T00:00:01Z", "speaker": "local", "type": "commit",
        "entity": "order_1", "action": "create", "system": "order_management",
    });
    let begun = house.post("/v1/conversations/conv_1/acts", &commit).await;
    let run = begun.json["integrations"][0]["run"].as_str().unwrap().to_owned();
    let key = [("idempotency-key", "k")];
    let path = format!("/v1/runs/{run}/cancel");
    let first = house.post_with(&path, &key, &json!({})).await;
    assert_eq!(first.status, 200, "{}", first.text);
    // What was committed with the command, and what was answered afterwards: only the first, had the process ended.
    let record = house.store.key("default", &named("local", "k")).await.unwrap().unwrap();
    let done = json!({"shows": true, "status": 200, "position": null, "location": null, "etag": null, "problem": false, "body": null});
    let finish = store::KeyOp::Finish {
        tenant: record.tenant,
        key: record.key,
        owner: record.owner,
        expires: record.expires,
        response: done.to_string().into_bytes(),
    };
    house.store.commit(store::Batch { keys: vec![finish], ..store::Batch::default() }).await.unwrap();
    let again = house.post_with(&path, &key, &json!({})).await;
    assert_eq!((again.status, &again.json["id"]), (200, &json!(run)), "{}", again.text);
    assert_eq!(again.header("idempotency-replayed"), "true");
    let other = house.post_with(&path, &[("idempotency-key", "n")], &json!({})).await;
    assert_eq!((other.status, other.code()), (409, "run.state"), "without it, it is another command");
}
