//! When something does not work: a defect, a store that takes no more, a call that never worked.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use conversation::{Conversations, Deciding, Telemetry};
use gate::{Auth, Limits, Page};
use http::Method;
use serde_json::{Value, json};
use store::{Batch, DeadLetter, DeadOp, DeadState, Options, State, Store};

use crate::fixture::{House, deps, fact, request};

#[tokio::test]
async fn a_handler_that_panics_answers_and_the_server_goes_on() {
    let store = Store::temporary().unwrap();
    let mut deps = deps(store.clone(), Auth::Loopback, Limits::default()).await;
    let show = Box::new(|_: &http::HeaderMap| -> futures_util::future::BoxFuture<'static, gate::Shown> {
        Box::pin(async { panic!("a defect, meant by the test") })
    });
    deps.pages = vec![Page { path: "/broken", summary: "Panics.", show }];
    let house = House { router: gate::router(deps), store, token: None };
    let broken = house.get("/broken").await;
    assert_eq!((broken.status, broken.code()), (500, "internal"), "{}", broken.text);
    assert_eq!(broken.json["instance"], "/broken");
    assert!(
        !broken.text.contains("defect, meant"),
        "what the panic says is not for callers: {}",
        broken.text
    );
    assert_eq!(house.post("/v1/conversations/conv_1/acts", &fact("act_1", "a", json!(1))).await.status, 200);
}

#[tokio::test]
async fn a_full_store_refuses_and_says_when_to_come_back() {
    let place = Place::new();
    let store =
        Store::open(place.file(), Options { file_bytes: Some(1 << 20), ..Options::default() }).unwrap();
    let house = House::over(store, Auth::Loopback, Limits::default()).await;
    for number in 0..100 {
        let act = fact(&format!("act_{number}"), &format!("f_{number}"), json!("x".repeat(20_000)));
        let head = house.head();
        let answer = house.post("/v1/conversations/conv_1/acts", &act).await;
        if answer.status == 200 {
            continue;
        }
        assert_eq!((answer.status, answer.code()), (503, "store.full"), "{}", answer.text);
        assert_eq!(answer.header("retry-after"), "10");
        assert_eq!(house.head(), head, "nothing was half applied");
        let lines = house.lines("/v1/conversations/conv_1/acts", &act.to_string()).await;
        assert_eq!((&lines[0]["status"], &lines[0]["code"]), (&json!(503), &json!("store.full")));
        assert_eq!(house.get("/v1/conversations/conv_1").await.status, 200, "reading goes on");
        return;
    }
    panic!("two megabytes went into a file of one");
}

#[tokio::test]
async fn b9_a_full_queue_is_told_and_passes() {
    let place = Place::new();
    let store = Store::open(place.file(), Options { queue_bytes: 1, ..Options::default() }).unwrap();
    let house = House::over(store.clone(), Auth::Loopback, Limits::default()).await;
    let acts = "/v1/conversations/conv_1/acts";
    assert_eq!(house.post(acts, &fact("act_warm", "a", json!(1))).await.status, 200);
    let load = Load::on(&store);
    let began = tokio::time::Instant::now();
    for number in 0.. {
        let act = fact(&format!("act_{number}"), "a", json!(number));
        let answer = house.post(acts, &act).await;
        if answer.status == 503 {
            assert_eq!((answer.code(), answer.header("retry-after").as_str()), ("busy", "1"));
            load.stop();
            // What the threads have handed over is written first.
            while house.post(acts, &act).await.status != 200 {
                assert!(began.elapsed() < PATIENCE, "there is no room again");
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            return;
        }
        assert!(began.elapsed() < PATIENCE, "the queue was never full");
    }
}

/// How long the writer may need.
const PATIENCE: Duration = Duration::from_secs(120);

/// Keeps the writer busy with rows of eight megabytes, from threads of its own.
struct Load {
    on: Arc<AtomicBool>,
    threads: Vec<std::thread::JoinHandle<()>>,
}

impl Load {
    fn on(store: &Store) -> Self {
        let on = Arc::new(AtomicBool::new(true));
        // Two, so that one of them waits for room while the other is written.
        let thread = |id: &str| {
            let (on, store, id) = (on.clone(), store.clone(), id.to_owned());
            std::thread::spawn(move || {
                while on.load(Ordering::Relaxed) {
                    let state = State { kind: "load", id: id.clone(), data: Some(vec![b'x'; 8 << 20]) };
                    let batch = Batch { states: vec![state], ..Batch::default() };
                    // One that finds no room comes again.
                    let _ = futures_util::future::FutureExt::now_or_never(store.commit(batch));
                    std::thread::sleep(Duration::from_millis(1));
                }
            })
        };
        Self { threads: vec![thread("one"), thread("two")], on }
    }

    fn stop(self) {
        self.on.store(false, Ordering::Relaxed);
        self.threads.into_iter().for_each(|thread| thread.join().unwrap());
    }
}

#[tokio::test]
async fn a_batch_that_is_too_large_is_taken_act_by_act() {
    let place = Place::new();
    let store = Store::open(place.file(), Options { batch_bytes: 64 << 10, ..Options::default() }).unwrap();
    let house = House::over(store, Auth::Loopback, Limits::default()).await;
    // Each event has the value before and the value after: all five together are too much, the third is by itself.
    let lines: Vec<String> = [10, 11, 70, 12, 13]
        .map(|thousands| {
            let value = json!("x".repeat(thousands * 1000));
            fact(&format!("act_{thousands}"), "note", value).to_string()
        })
        .into();
    let verdicts = house.lines("/v1/conversations/conv_1/acts", &lines.join("\n")).await;
    let told: Vec<_> = verdicts.iter().map(|verdict| (&verdict["line"], &verdict["status"])).collect();
    let expected =
        [(1, 200), (2, 200), (3, 413), (4, 200), (5, 200)].map(|(line, status)| (json!(line), json!(status)));
    assert_eq!(told, expected.each_ref().map(|(line, status)| (line, status)), "{verdicts:?}");
    assert_eq!(house.entity("conv_1", "order_1").await["note"].as_str().map(str::len), Some(13_000));
}

#[tokio::test]
async fn b20_dead_letters_are_mended_replayed_and_let_go() {
    let house = House::open().await;
    let dead = vec![DeadOp::Put(letter("dead_1")), DeadOp::Put(letter("dead_2"))];
    house.store.commit(Batch { dead, ..Batch::default() }).await.unwrap();
    let headers = [("content-type", "application/json")];
    let patch = |id: &str| {
        let body = axum::body::Body::from(json!({"input": {"to": "b@example.org"}}).to_string());
        request(Method::PATCH, &format!("/v1/dead/{id}"), &headers, body)
    };
    let edited = house.send(patch("dead_1")).await;
    assert_eq!((edited.status, &edited.json["originalMessage"]["to"]), (200, &json!("b@example.org")));
    let refused = house.post("/v1/dead/dead_1/replay", &json!({})).await;
    assert_eq!((refused.status, refused.code()), (409, "run.state"), "it may have arrived: {}", refused.text);
    let replayed = house.post("/v1/dead/dead_1/replay", &json!({"send_again": true})).await;
    assert_eq!(
        (replayed.status, &replayed.json["idempotencyKey"]),
        (200, &json!("run_x/mail")),
        "{}",
        replayed.text
    );
    let discarded = house.post("/v1/dead/dead_2/discard", &json!({})).await;
    assert_eq!(
        (discarded.status, &discarded.json["state"]),
        (200, &json!("discarded")),
        "{}",
        discarded.text
    );
    for late in [
        house.post("/v1/dead/dead_2/discard", &json!({})).await,
        house.post("/v1/dead/dead_2/replay", &json!({})).await,
        house.send(patch("dead_2")).await,
    ] {
        assert_eq!((late.status, late.code()), (409, "dead.resolved"), "{}", late.text);
    }
}

#[tokio::test]
async fn b7_state_and_counts_survive_a_restart() {
    let store = Store::temporary().unwrap();
    let house = House::over(store.clone(), Auth::Loopback, Limits::default()).await;
    for conversation in ["conv_1", "conv_2", "conv_3"] {
        let path = format!("/v1/conversations/{conversation}/acts");
        assert_eq!(house.post(&path, &fact("act_1", "a", json!(1))).await.status, 200);
    }
    let ended = house.post("/v1/conversations/conv_3/end", &json!({"status": "completed"})).await;
    assert_eq!(ended.status, 200, "{}", ended.text);

    let counted = Arc::new(Count::default());
    let deciding = Deciding { acts: act::Rules::strict(), rules: react::Rules::default() };
    let clock = Arc::new(port::SystemClock);
    let again =
        Conversations::new(store.clone(), deciding, conversation::Limits::default(), clock, counted.clone());
    again.count_active().await.unwrap();
    assert_eq!(counted.0.load(Ordering::Relaxed), 2);

    let house = House::over(store, Auth::Loopback, Limits::default()).await;
    let mut act = fact("act_2", "a", json!(1));
    act["operation"] = json!("increment");
    assert_eq!(house.post("/v1/conversations/conv_1/acts", &act).await.status, 200);
    assert_eq!(
        house.entity("conv_1", "order_1").await["a"],
        2,
        "the operation is applied to what was before"
    );
}

/// Counts active conversations.
#[derive(Default)]
struct Count(AtomicI64);

impl Telemetry for Count {
    fn on_active(&self, change: i64) {
        self.0.fetch_add(change, Ordering::Relaxed);
    }
}

fn letter(id: &str) -> DeadLetter {
    let at = port::Clock::now(&port::SystemClock);
    DeadLetter {
        id: id.to_owned(),
        tenant: "default".to_owned(),
        source: format!("{id}/mail"),
        system: "email".to_owned(),
        operation: "send".to_owned(),
        code: "unavailable".to_owned(),
        message: "no answer".to_owned(),
        history: Vec::new(),
        input: Value::to_string(&json!({"to": "a@example.org"})).into_bytes(),
        key: Some("run_x/mail".to_owned()),
        correlation: "c".to_owned(),
        first: at,
        last: at,
        state: DeadState::Open,
        resolved: None,
    }
}

/// A directory of its own, removed in the end.
struct Place(std::path::PathBuf);

impl Place {
    fn new() -> Self {
        let name = format!("cardan-gate-{:016x}", port::Entropy::bits(&port::SystemEntropy));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn file(&self) -> std::path::PathBuf {
        self.0.join("cardan.db")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
