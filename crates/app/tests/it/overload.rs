//! F12 from end to end: more than the real server takes. What it takes it does, what it does not take it says at once,
//! and it answers its operators all the while.
//!
//! Figures are printed (`--nocapture`), not judged: they are of a development build beside other tests.
//! `CARDAN_OVERLOAD_SECONDS=60 cargo test -p app --release --test it f12 -- --nocapture` is the long form.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::crash::free_port;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::flood::{Answer, Pulse, ask, open_loop, percentile};
use crate::scene::{Scene, acts, unlimited};

/// How long each load lasts in the short form.
const SPAN: Duration = Duration::from_secs(4);
/// Orders a second that the server is configured to take; far below what it could.
const CAPACITY: u32 = 10;
/// Connections of the flood, each as fast as it is answered.
const CONNECTIONS: u64 = 256;
/// How long what was taken may need to be done.
const PATIENCE: Duration = Duration::from_secs(240);

fn span() -> Duration {
    let seconds = std::env::var("CARDAN_OVERLOAD_SECONDS").ok().and_then(|text| text.parse().ok());
    seconds.map_or(SPAN, Duration::from_secs)
}

/// A load of orders beside questions after the server's health.
async fn ordered(scene: &Scene, name: &str, times: f64) -> (Vec<Answer>, Vec<Answer>) {
    let pulse = Pulse::of(scene.at("/ready"));
    let made = open_loop(f64::from(CAPACITY) * times, span(), |client, number| {
        let (path, acts) = acts(&format!("order_{name}_{number}"));
        client.post(scene.at(&path)).json(&acts)
    });
    let made = made.await;
    (made, pulse.stop().await)
}

fn accepted(answers: &[Answer]) -> impl Iterator<Item = &Answer> {
    answers.iter().filter(|answer| answer.accepted())
}

/// Every answer says either yes, or no and when to come back; and the operators were answered.
fn judge(made: &[Answer], ready: &[Answer]) {
    for answer in made {
        let (status, wait) = (answer.status, answer.retry_after);
        assert!(answer.accepted() || answer.shed(), "{status} with Retry-After {wait:?}");
    }
    assert!(!ready.is_empty());
    let bad = ready.iter().filter(|answer| answer.status != 200).count();
    assert_eq!(bad, 0, "of {} answers to operators", ready.len());
}

fn told(name: &str, made: &[Answer], ready: &[Answer]) {
    let (taken, shed) = (accepted(made).count(), made.iter().filter(|answer| answer.shed()));
    println!(
        "  {name:<22} {} offered, {taken} accepted, p99 {:.1?}; shed p99 {:.1?}; /ready p50 {:.1?}, p99 {:.1?} of {}",
        made.len(),
        percentile(accepted(made), 99),
        percentile(shed, 99),
        percentile(ready, 50),
        percentile(ready, 99),
        ready.len(),
    );
}

/// Every order that was accepted was charged for once, and no other was.
async fn done(scene: &Scene, orders: usize) {
    let all = async {
        while scene.effects("payments").await["effects"]["charge"].as_u64() < Some(orders as u64) {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        for status in ["queued", "running", "waiting", "compensating"] {
            while listed(scene, status).await > 0 {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    };
    let charged = || scene.effects("payments");
    assert!(tokio::time::timeout(PATIENCE, all).await.is_ok(), "{orders} orders: {}", charged().await);
    for (system, operation) in [("payments", "charge"), ("orders", "create"), ("inventory", "reserve")] {
        let effects = scene.effects(system).await;
        assert_eq!(
            (&effects["effects"][operation], &effects["repeated"]),
            (&json!(orders), &json!({})),
            "{system}"
        );
    }
}

async fn listed(scene: &Scene, status: &str) -> usize {
    let page: Value =
        serde_json::from_str(&scene.page(&format!("/v1/runs?status={status}&limit=1")).await).unwrap();
    page["runs"].as_array().map_or(1, Vec::len)
}

#[tokio::test(flavor = "multi_thread")]
async fn f12_ten_times_the_orders_are_shed_and_those_taken_are_done() {
    let rate = format!("limits: {{ rate: {{ capacity: {CAPACITY}, per_second: {CAPACITY} }} }}\n");
    let scene = Scene::with(|text| unlimited(&text) + &rate).await;
    scene.fill().await;
    let (calm, calm_ready) = ordered(&scene, "calm", 0.5).await;
    let (rush, rush_ready) = ordered(&scene, "rush", 10.0).await;
    println!("F12, {CAPACITY} orders a second allowed, each load {:?}:", span());
    told("half of it", &calm, &calm_ready);
    told("ten times as many", &rush, &rush_ready);
    // After the quiet load there is a second's worth in the bucket.
    let (taken, possible) = (accepted(&rush).count(), f64::from(CAPACITY) * (span().as_secs_f64() + 1.0));
    #[expect(clippy::cast_precision_loss, reason = "counts of orders")]
    let goodput = taken as f64 / possible * 100.0;
    println!("  goodput {goodput:.0} % of what is allowed");
    judge(&calm, &calm_ready);
    judge(&rush, &rush_ready);
    assert!(calm.iter().all(Answer::accepted), "half of what is allowed is not shed");
    assert!(rush.iter().filter(|answer| answer.shed()).count() > rush.len() / 2);
    done(&scene, accepted(&calm).count() + taken).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f12_a_flood_is_kept_or_refused_and_never_lost() {
    println!("F12, {CONNECTIONS} connections, single facts, each as fast as it is answered, {:?}:", span());
    flooded("flood", false, None).await;
    flooded("heeding Retry-After", true, None).await;
    flooded("operators apart", false, Some(free_port().unwrap())).await;
}

/// A flood on a server of its own; what is shed comes again at once, or when it was told to. Operators ask meanwhile, at
/// the same address or at one of their own, and are not shed.
async fn flooded(name: &str, heeds: bool, operators: Option<u16>) {
    let door =
        operators.map(|port| format!("operators: {{ listen: 127.0.0.1:{port} }}\n")).unwrap_or_default();
    let scene = Scene::with(|text| text + &door).await;
    let at = |path: &str| match operators {
        Some(port) => format!("http://127.0.0.1:{port}{path}"),
        None => scene.at(path),
    };
    let (ready, stuck) = (Pulse::of(at("/ready")), Pulse::of(at("/v1/runs?stuck=true")));
    let made = flood(&scene, heeds).await;
    let (ready, stuck) = (ready.stop().await, stuck.stop().await);
    let all: Vec<Answer> = made.into_iter().flatten().collect();
    told(name, &all, &ready);
    println!(
        "  {:<22} what is stuck p50 {:.1?}, p99 {:.1?} of {}",
        "",
        percentile(&stuck, 50),
        percentile(&stuck, 99),
        stuck.len()
    );
    judge(&all, &ready);
    judge(&[], &stuck);
    let shed = all.iter().filter(|answer| answer.shed()).count();
    assert!(shed > 0, "more connections than requests are worked on at once");
    assert_eq!(counted(&at("/metrics")).await, (0, shed), "in flight, and shed");
    assert_eq!(kept(&scene).await, accepted(&all).count());
}

/// Requests that are worked on, and those that were refused as too many, as the metrics have it.
async fn counted(url: &str) -> (usize, usize) {
    let metrics = reqwest::get(url).await.unwrap().text().await.unwrap();
    let number = |name: &str| {
        let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("{metrics}")).parse().unwrap()
    };
    (number("cardan_requests_in_flight"), number("cardan_requests_shed_total"))
}

/// What each connection was answered.
async fn flood(scene: &Scene, heeds: bool) -> Vec<Vec<Answer>> {
    let (client, end) = (reqwest::Client::new(), Instant::now() + span());
    let mut connections = JoinSet::new();
    for connection in 0..CONNECTIONS {
        let (client, url) =
            (client.clone(), scene.at(&format!("/v1/conversations/conv_flood_{connection}/acts")));
        connections.spawn(async move {
            let mut seen: Vec<Answer> = Vec::new();
            for number in 0.. {
                if let Some(wait) = seen.last().and_then(|answer| answer.retry_after).filter(|_| heeds) {
                    tokio::time::sleep(Duration::from_secs(wait)).await;
                }
                let now = Instant::now();
                if now >= end {
                    break;
                }
                seen.push(ask(client.post(&url).json(&fact(connection, number)), now).await);
            }
            seen
        });
    }
    connections.join_all().await
}

fn fact(connection: u64, number: u64) -> Value {
    json!({
        "id": format!("act_{connection}_{number}"), "type": "fact", "timestamp": "2026-01-01T00:00:00Z",
        "speaker": "ada", "entity": { "id": "order_1", "type": "order" }, "field": "note", "value": number,
    })
}

/// How many acts the flood's conversations hold, each counted once.
async fn kept(scene: &Scene) -> usize {
    let mut acts = 0;
    for connection in 0..CONNECTIONS {
        let page = scene.page(&format!("/conversation/conv_flood_{connection}")).await;
        let view: Value = serde_json::from_str(&page).unwrap();
        let held = view["acts"].as_array().into_iter().flatten().map(|act| act["id"].to_string());
        acts += held.collect::<std::collections::BTreeSet<_>>().len();
    }
    acts
}
