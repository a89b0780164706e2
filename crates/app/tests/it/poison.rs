//! F14 from end to end: an order that a system chokes on, and one that it calls malformed, among orders that are well.
//!
//! What a person does with the dead letter then: [`crate::dead`].

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::flood::{Answer, open_loop, percentile};
use crate::scene::{Scene, acts, unlimited};

/// Chokes the payments: every attempt fails.
const CHOKING: &str = "order_choking";
/// Is refused by the payments: no attempt can help.
const MALFORMED: &str = "order_malformed";
/// How often the guard of the payments tries.
const ATTEMPTS: u64 = 4;
/// Well orders a second, beside the poison and before it.
const PER_SECOND: f64 = 5.0;
const SPAN: Duration = Duration::from_secs(4);

/// A door before the payments that knows the poison by its order, and passes everything else on.
#[derive(Clone, Default)]
struct Door {
    http: reqwest::Client,
    upstream: Arc<OnceLock<String>>,
}

impl Door {
    /// Where it listens.
    async fn open(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(pass).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        format!("http://{address}")
    }

    /// The configuration with the door before the payments, and a guard there that gives up soon.
    fn before_payments(&self, text: &str, door: &str) -> String {
        let payments =
            text.lines().find_map(|line| line.trim().strip_prefix("url: ")?.strip_suffix("/payments"));
        let systems = self.upstream.get_or_init(|| payments.unwrap().to_owned());
        let guard = format!(
            "  payments:\n    guard: {{ limit: off, retry: {{ max_attempts: {ATTEMPTS}, initial: 10ms }} }}\n"
        );
        unlimited(text)
            .replace(&format!("url: {systems}/payments"), &format!("url: {door}/payments"))
            .replace("  payments:\n    guard: { limit: off }\n", &guard)
    }
}

async fn pass(State(door): State<Door>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body: Bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
    let problem = |status, title| (status, axum::Json(json!({ "title": title }))).into_response();
    match asked["order"].as_str() {
        Some(CHOKING) => return problem(StatusCode::INTERNAL_SERVER_ERROR, "stack overflow in line 7"),
        Some(MALFORMED) => return problem(StatusCode::BAD_REQUEST, "amount has a strange shape"),
        _ => {}
    }
    let url = format!("{}{}", door.upstream.get().unwrap(), parts.uri.path());
    let asked = door.http.request(parts.method, url).headers(parts.headers).body(body).send().await.unwrap();
    (asked.status(), [("content-type", "application/json")], asked.bytes().await.unwrap()).into_response()
}

/// Well orders, each answered when its run has ended.
async fn orders(scene: &Scene, name: &str) -> Vec<Answer> {
    open_loop(PER_SECOND, SPAN, |client, number| {
        let (path, acts) = acts(&format!("order_{name}_{number}"));
        client.post(scene.at(&path)).header("prefer", "wait=60").json(&acts)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn f14_poison_is_given_up_with_its_cause_and_its_neighbours_are_done() {
    let door = Door::default();
    let address = door.open().await;
    let scene = Scene::with(|text| door.before_payments(&text, &address)).await;
    scene.fill().await;
    let before = orders(&scene, "before").await;
    let poison = async { (scene.ordered(CHOKING).await, scene.ordered(MALFORMED).await) };
    let ((choking, malformed), beside) = tokio::join!(poison, orders(&scene, "beside"));
    println!(
        "F14, {PER_SECOND} orders a second: from order to end p99 {:.1?} before the poison, {:.1?} beside it",
        percentile(&before, 99),
        percentile(&beside, 99)
    );
    let well = before.len() + beside.len();
    assert!(before.iter().chain(&beside).all(|answer| answer.status == 200), "answered with their ends");
    given_up(&scene, &choking).await;
    undone(&scene, &malformed).await;
    let effects = scene.effects("payments").await;
    assert_eq!((&effects["effects"]["charge"], &effects["repeated"]), (&json!(well), &json!({})));
    let page: Value = serde_json::from_str(&scene.page("/v1/runs?status=succeeded&limit=200").await).unwrap();
    assert_eq!(page["runs"].as_array().unwrap().len(), well);
}

/// As many attempts as agreed, then a dead letter that says everything, and a run that waits for a person.
async fn given_up(scene: &Scene, run: &str) {
    scene.run_waits_for(run, "outcome_unknown").await;
    let letters = scene.rows(&["dead", "list"]).await;
    let [letter] = &letters[..] else { panic!("one order is dead: {letters:?}") };
    let shown = scene.json(&["dead", "show", &letter[0]]).await;
    assert_eq!(shown["source"], format!("{run}/charge"));
    assert_eq!(
        (&shown["metadata"]["attempts"], &shown["state"]),
        (&json!(ATTEMPTS), &json!("open")),
        "{shown}"
    );
    assert_eq!(shown["originalMessage"]["order"], CHOKING);
    assert_eq!(shown["idempotencyKey"].as_str().map(str::len), Some(32));
    let cause = shown["error"].to_string() + &shown["history"].to_string();
    for said in ["call.unavailable", "stack overflow in line 7"] {
        assert!(cause.contains(said), "{said} in {shown}");
    }
}

/// One attempt, everything taken back, and the cause in the run; nobody has to look.
async fn undone(scene: &Scene, run: &str) {
    scene.run_is(run, "compensated").await;
    let view = scene.json(&["flow", "show", "--json", run]).await;
    let error = &view["error"];
    assert_eq!(
        (&error["step"], &error["status"], &error["code"]),
        (&json!("charge"), &json!(400), &json!("call.invalid"))
    );
    assert!(error["message"].as_str().unwrap().contains("amount has a strange shape"), "{error}");
    let charge = view["steps"].as_array().unwrap().iter().find(|step| step["path"] == "charge").unwrap();
    assert_eq!(charge["attempts"], 1, "{charge}");
}
