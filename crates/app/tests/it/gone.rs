//! Callers who leave before they are answered. What they said may have been taken; what was taken is done.

use std::time::Duration;

use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::scene::{Scene, acts, unlimited};

const CALLERS: u64 = 60;
/// How long the runs that were taken may need.
const PATIENCE: Duration = Duration::from_secs(60);

/// Commits an order, under a key or without, and leaves without an answer after so long.
async fn leave(scene: &Scene, order: &str, after: Duration, keyed: bool) {
    let (path, acts) = acts(order);
    let (body, url) = (serde_json::to_string(&acts).unwrap(), scene.at(""));
    let address = url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let (length, key) = (body.len(), format!("idempotency-key: key_{order}\r\n"));
    let key = if keyed { key.as_str() } else { "" };
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n{key}\
         content-length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    tokio::time::sleep(after).await;
    stream.set_zero_linger().unwrap();
}

async fn runs(scene: &Scene, query: &str) -> Vec<Value> {
    let page: Value = serde_json::from_str(&scene.page(&format!("/v1/runs?limit=200{query}")).await).unwrap();
    page["runs"].as_array().unwrap().clone()
}

/// The callers leave one after the other, at each stage of their requests.
async fn all_leave(scene: &Scene, keyed: bool) {
    let leaving = (0..CALLERS).map(|caller| async move {
        leave(scene, &order(caller), Duration::from_micros(caller * 500), keyed).await;
    });
    futures_util::future::join_all(leaving).await;
}

fn order(caller: u64) -> String {
    format!("order_{caller}")
}

/// How many conversations are active, as the gauge has it.
async fn active(scene: &Scene) -> usize {
    gauge(scene, "astra_active_conversations").await
}

async fn gauge(scene: &Scene, name: &str) -> usize {
    let metrics = scene.page("/metrics").await;
    let gauge = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    gauge.unwrap_or_else(|| panic!("{metrics}")).parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_taken_is_done_though_its_caller_has_left() {
    let scene = Scene::with(|text| unlimited(&text)).await;
    scene.fill().await;
    all_leave(&scene, false).await;
    let done = async {
        let mut before = None;
        loop {
            // The same twice, with nothing in between: whoever was still on the way has come.
            let now = rest(&scene).await;
            if now.is_some() && now == before {
                return now;
            }
            before = now;
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    };
    match tokio::time::timeout(PATIENCE, done).await {
        Ok(taken) => println!("{taken:?} of {CALLERS} orders were taken, and all of those are done"),
        Err(_) => panic!("{} active, never done: {:#?}", active(&scene).await, runs(&scene, "").await),
    }
}

/// How many orders were taken, when nothing is under way any more: each is done, began a conversation and was counted.
async fn rest(scene: &Scene) -> Option<usize> {
    let (before, all) = (active(scene).await, runs(scene, "").await.len());
    let done = runs(scene, "&status=succeeded").await.len();
    (all > 0 && all == done && before == all && gauge(scene, "cardan_requests_in_flight").await == 0)
        .then_some(all)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_left_and_comes_back_with_the_same_key_is_answered() {
    let scene = Scene::with(|text| unlimited(&text)).await;
    scene.fill().await;
    all_leave(&scene, true).await;
    for caller in 0..CALLERS {
        let key = format!("key_{}", order(caller));
        let again = async { while !answered(&scene, &order(caller), &key).await {} };
        let again = tokio::time::timeout(PATIENCE, again).await;
        assert!(again.is_ok(), "{key} is in progress for ever");
    }
    let started = runs(&scene, "").await;
    assert_eq!(started.len() as u64, CALLERS, "each order was taken once");
}

/// Whether the order is taken under this key; asks again later when the first request is still being handled.
async fn answered(scene: &Scene, order: &str, key: &str) -> bool {
    let (path, acts) = acts(order);
    let request = reqwest::Client::new().post(scene.at(&path)).header("idempotency-key", key).json(&acts);
    let answer = request.send().await.unwrap();
    match answer.status().as_u16() {
        202 => true,
        409 => {
            tokio::time::sleep(Duration::from_millis(100)).await;
            false
        }
        other => panic!("{other}: {}", answer.text().await.unwrap()),
    }
}
