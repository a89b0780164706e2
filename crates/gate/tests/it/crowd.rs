//! More at once than is worked on: F12 at the door.

use std::convert::Infallible;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use axum::body::Body;
use conversation::Telemetry;
use futures_util::future::{join_all, poll_immediate};
use futures_util::stream;
use gate::{Auth, Limits, Observer, Page, Shown};
use http::Method;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use store::Store;
use tokio::sync::mpsc;
use tokio::task::{coop, yield_now};
use tower::ServiceExt;

use crate::fixture::{Answer, House, deps, fact, request};

const ACTS: &str = "/v1/conversations/conv_1/acts";
const LINES: &[(&str, &str)] = &[("content-type", "application/x-ndjson")];

/// What the gate tells: how many are worked on, and how many were refused.
#[derive(Default)]
struct Count {
    working: AtomicI64,
    shed: AtomicI64,
}

impl Telemetry for Count {
    fn on_act(&self, _: &str, _: bool, _: Duration) {
        panic!("a defect, meant by the test");
    }
}

impl Observer for Count {
    fn shed(&self) {
        self.shed.fetch_add(1, Ordering::Relaxed);
    }
    fn working(&self, change: i64) {
        self.working.fetch_add(change, Ordering::Relaxed);
    }
}

impl Count {
    fn both(&self) -> (i64, i64) {
        (self.working.load(Ordering::Relaxed), self.shed.load(Ordering::Relaxed))
    }
}

/// A house in which so many requests are worked on at once, with a page.
async fn bounded(in_flight: usize) -> (House, Arc<Count>) {
    let (store, count) = (Store::temporary().unwrap(), Arc::new(Count::default()));
    let at_least = Duration::from_secs(60);
    let limits = Limits { in_flight, operators: 2, at_least, ..Limits::default() };
    let mut deps = deps(store.clone(), Auth::Loopback, limits).await;
    deps.observer = count.clone();
    let show = |_: &http::HeaderMap| -> futures_util::future::BoxFuture<'static, Shown> {
        Box::pin(async { Shown { status: 200, content_type: "text/plain", body: "well".into() } })
    };
    deps.pages = vec![Page { path: "/ready", summary: "Well.", show: Box::new(show) }];
    (House { router: gate::router(deps), store, token: None }, count)
}

type Asking = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// Says an act.
fn say(house: &House, number: u32) -> Asking {
    say_with(house, number, &[])
}

fn say_with(house: &House, number: u32, headers: &'static [(&str, &str)]) -> Asking {
    let (house, act) = (house.clone(), fact(&format!("act_{number}"), "n", json!(number)));
    Box::pin(async move { house.post_with(ACTS, headers, &act).await })
}

/// Lets a request come as far as its first lock or write. There it is worked on until it is polled again or dropped:
/// with tokio's budget used up, no lock that is free and no store that is quick lets it go on.
async fn begin(asking: &mut Asking) -> Option<Answer> {
    while poll_immediate(pin!(coop::consume_budget())).await.is_some() {}
    poll_immediate(asking).await
}

/// A request that is worked on now.
async fn working(mut asking: Asking) -> Asking {
    assert!(begin(&mut asking).await.is_none(), "it is refused");
    asking
}

fn refused(answer: &Answer) {
    let told = (answer.status, answer.code(), answer.header("retry-after"));
    assert_eq!(told, (503, "overloaded", "1".to_owned()), "{}", answer.text);
}

/// The ids of the acts that are kept.
async fn kept(house: &House) -> Vec<String> {
    let read = house.get("/v1/conversations/conv_1").await;
    assert_eq!(read.status, 200, "{}", read.text);
    let acts = read.json["acts"].as_array().into_iter().flatten();
    acts.map(|act| act["id"].as_str().unwrap().to_owned()).collect()
}

/// A body that comes when it is sent.
fn coming() -> (mpsc::Sender<String>, Body) {
    let (sender, receiver) = mpsc::channel::<String>(4);
    let pieces = stream::unfold(receiver, |mut receiver| async move {
        let piece = receiver.recv().await?;
        Some((Ok::<_, Infallible>(piece), receiver))
    });
    (sender, Body::from_stream(pieces))
}

#[tokio::test]
async fn f12_as_many_as_allowed_are_worked_on_and_nothing_is_kept_of_the_rest() {
    let (house, count) = bounded(4).await;
    let mut begun = Vec::new();
    for number in 0..20 {
        let mut asking = say(&house, number);
        match begin(&mut asking).await {
            None => begun.push(asking),
            Some(answer) => refused(&answer),
        }
    }
    assert_eq!((begun.len(), count.both()), (4, (4, 16)));
    for answer in join_all(begun).await {
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
    assert_eq!(count.both(), (0, 16));
    assert_eq!(kept(&house).await, ["act_0", "act_1", "act_2", "act_3"]);
    assert_eq!(say(&house, 4).await.status, 200, "a refused act is taken when there is room");
}

#[tokio::test]
async fn f12_operators_are_answered_when_the_gate_is_full() {
    let (house, _) = bounded(1).await;
    let asking = working(say(&house, 1)).await;
    for path in ["/v1/conversations", "/v1/conversations/conv_1", "/v1/events"] {
        refused(&house.get(path).await);
    }
    for path in ["/ready", "/openapi.json", "/v1/runs?stuck=true", "/v1/dead", "/v1/systems"] {
        assert_eq!(house.get(path).await.status, 200, "{path}");
    }
    let unknown = house.post("/v1/runs/run_0/cancel", &json!({})).await;
    assert_eq!(unknown.code(), "run.unknown", "{}", unknown.text);
    assert_eq!(asking.await.status, 200);
}

#[tokio::test]
async fn operators_are_bounded_too_and_take_free_turns_first() {
    let (house, count) = bounded(1).await;
    let look = || -> Asking {
        let house = house.clone();
        Box::pin(async move { house.get("/v1/runs").await })
    };
    let begun = [working(look()).await, working(look()).await, working(look()).await];
    assert_eq!(count.both(), (3, 0), "one of everybody's and both of theirs");
    refused(&look().await);
    refused(&say(&house, 1).await);
    for answer in join_all(begun).await {
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
    assert_eq!(count.both(), (0, 2));
}

#[tokio::test]
async fn who_leaves_gives_the_turn_back() {
    let (house, count) = bounded(1).await;
    drop(working(say(&house, 1)).await);
    assert_eq!(count.both(), (0, 0));
    drop(working(say_with(&house, 2, &[("idempotency-key", "two")])).await);
    assert_eq!(count.both(), (1, 0), "what has a key is done for whoever comes back with it");
    for _ in 0..2000 {
        if count.both() == (0, 0) {
            assert!(kept(&house).await.contains(&"act_2".to_owned()));
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("the turn did not come back");
}

#[tokio::test]
async fn a_panic_gives_the_turn_back() {
    let (house, count) = bounded(1).await;
    let broken = house.post(ACTS, &json!({"no": "act"})).await;
    assert_eq!((broken.status, count.both()), (500, (0, 0)), "{}", broken.text);
    assert_eq!(say(&house, 1).await.status, 200);
}

#[tokio::test]
async fn a_body_that_is_late_takes_no_turn_and_may_find_none() {
    let (house, count) = bounded(1).await;
    let (sender, body) = coming();
    let headers = [("content-type", "application/json")];
    let mut late = pin!(house.send(request(Method::POST, ACTS, &headers, body)));
    assert!(poll_immediate(&mut late).await.is_none());
    assert_eq!(count.both(), (0, 0));
    let asking = working(say(&house, 1)).await;
    sender.try_send(fact("act_2", "n", json!(2)).to_string()).unwrap();
    drop(sender);
    refused(&late.await);
    assert_eq!(asking.await.status, 200);
    assert_eq!(kept(&house).await, ["act_1"]);
}

#[tokio::test]
async fn who_waits_for_a_position_takes_no_turn() {
    let (house, count) = bounded(1).await;
    let mut waiting = pin!(house.get_with("/v1/runs", &[("cardan-at-least", "1")]));
    assert!(poll_immediate(&mut waiting).await.is_none());
    assert_eq!(count.both(), (0, 0));
    assert_eq!(say(&house, 1).await.status, 200);
    assert_eq!(waiting.await.status, 200);
}

#[tokio::test]
async fn an_upload_takes_a_turn_while_there_are_lines_and_is_not_refused_half_way() {
    let (house, count) = bounded(1).await;
    let (sender, body) = coming();
    let response = house.router.clone().oneshot(request(Method::POST, ACTS, LINES, body)).await.unwrap();
    assert_eq!((response.status().as_u16(), count.both()), (200, (1, 0)));
    let mut verdicts = response.into_body();
    sender.try_send(format!("{}\n", fact("act_1", "n", json!(1)))).unwrap();
    assert_eq!(verdict(verdicts.frame().await)["status"], 200);
    assert_eq!(count.both(), (0, 0));

    let asking = working(say(&house, 2)).await;
    sender.try_send(format!("{}\n", fact("act_3", "n", json!(3)))).unwrap();
    drop(sender);
    let mut frame = verdicts.frame();
    yield_now().await;
    assert!(poll_immediate(&mut frame).await.is_none(), "it waits for its turn");
    let new = request(Method::POST, ACTS, LINES, Body::from(fact("act_4", "n", json!(4)).to_string()));
    refused(&house.send(new).await);
    assert_eq!(asking.await.status, 200);
    assert_eq!(verdict(frame.await)["status"], 200);
    assert_eq!(kept(&house).await, ["act_1", "act_2", "act_3"]);
}

fn verdict(frame: Option<Result<http_body::Frame<axum::body::Bytes>, axum::Error>>) -> Value {
    let bytes = frame.unwrap().unwrap().into_data().unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

#[tokio::test]
async fn who_follows_events_takes_no_turn() {
    let (house, count) = bounded(1).await;
    let asked = request(Method::GET, "/v1/events", &[], Body::empty());
    let mut events = house.router.clone().oneshot(asked).await.unwrap().into_body();
    assert!(events.frame().await.is_some());
    assert_eq!(count.both(), (0, 0));
    assert_eq!(say(&house, 1).await.status, 200);
}
