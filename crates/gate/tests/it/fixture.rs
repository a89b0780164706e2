//! A house with a store and an engine in memory, and callers.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use conversation::{Conversations, Deciding, Noop};
use gate::{Auth, Control, Deps, Limits, Mode, Which};
use http::{HeaderMap, Method, Request};
use http_body_util::BodyExt;
use port::{SystemClock, SystemEntropy, Systems};
use serde_json::{Value, json};
use store::Store;
use tokio::net::{TcpListener, TcpSocket};
use tower::ServiceExt;

/// A gate over a store of its own.
#[derive(Clone)]
pub(crate) struct House {
    pub(crate) router: Router,
    pub(crate) store: Store,
    pub(crate) token: Option<String>,
}

struct NoGuards;

impl Control for NoGuards {
    fn status(&self, _system: &str) -> Value {
        Value::Null
    }
    fn reset(&self, _system: &str, _which: &Which) -> Result<(), String> {
        Err("there are no guards".to_owned())
    }
    fn switch(&self, _system: &str, _which: &Which, _mode: Mode) -> Result<Option<Mode>, String> {
        Err("there are no guards".to_owned())
    }
}

impl House {
    pub(crate) async fn open() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Limits)) -> Self {
        let mut limits = Limits { at_least: std::time::Duration::from_millis(50), ..Limits::default() };
        change(&mut limits);
        let store = Store::temporary().unwrap();
        Self::over(store, Auth::Loopback, limits).await
    }

    pub(crate) async fn over(store: Store, auth: Auth, limits: Limits) -> Self {
        let deps = deps(store.clone(), auth, limits).await;
        Self { router: gate::router(deps), store, token: None }
    }

    /// A house with one flow, written as in `cardan.yaml`.
    pub(crate) async fn running(flow: &Value) -> Self {
        Self::running_within(flow, Limits::default()).await
    }

    /// A house with one flow over a store that is there, opened as a server opens it.
    pub(crate) async fn of(store: Store, flow: &Value) -> Self {
        let deps = deps_with(store.clone(), Auth::Loopback, Limits::default(), vec![compiled(flow)]).await;
        deps.conversations.backfill_keys().await.unwrap();
        Self { router: gate::router(deps), store, token: None }
    }

    /// The same with other limits.
    pub(crate) async fn running_within(flow: &Value, limits: Limits) -> Self {
        let store = Store::temporary().unwrap();
        let deps = deps_with(store.clone(), Auth::Loopback, limits, vec![compiled(flow)]).await;
        Self { router: gate::router(deps), store, token: None }
    }

    /// The same house, entered with a token.
    pub(crate) fn bearing(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    pub(crate) fn head(&self) -> u64 {
        *self.store.head().borrow()
    }

    pub(crate) async fn send(&self, mut request: Request<Body>) -> Answer {
        if let Some(token) = &self.token {
            request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        }
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        let json = serde_json::from_str(&text).unwrap_or(Value::Null);
        Answer { status: parts.status.as_u16(), headers: parts.headers, text, json }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.get_with(path, &[]).await
    }

    pub(crate) async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.send(request(Method::GET, path, headers, Body::empty())).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.post_with(path, &[], body).await
    }

    pub(crate) async fn post_with(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        let mut all = vec![("content-type", "application/json")];
        all.extend_from_slice(headers);
        self.send(request(Method::POST, path, &all, Body::from(body.to_string()))).await
    }

    /// Sends lines, and reads the verdicts.
    pub(crate) async fn lines(&self, path: &str, lines: &str) -> Vec<Value> {
        let headers = [("content-type", "application/x-ndjson")];
        let answer = self.send(request(Method::POST, path, &headers, Body::from(lines.to_owned()))).await;
        assert_eq!(
            (answer.status, answer.header("content-type").as_str()),
            (200, "application/x-ndjson"),
            "{}",
            answer.text
        );
        answer.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Fields of an entity.
    pub(crate) async fn entity(&self, conversation: &str, entity: &str) -> Value {
        self.get(&format!("/v1/conversations/{conversation}/entities/{entity}")).await.json["fields"].clone()
    }

    /// Types and data of a stream's events.
    pub(crate) async fn events(&self, stream: &str) -> Vec<(String, Value)> {
        let events = self.store.stream(stream, 0, 10_000).await.unwrap();
        events
            .iter()
            .map(|event| (event.type_.to_string(), serde_json::from_slice(&event.data).unwrap()))
            .collect()
    }
}

/// A flow, written as in `cardan.yaml`.
pub(crate) fn compiled(flow: &Value) -> flow::Definition {
    let (compiled, diagnostics) =
        flow::compile("create-order", &diag::Node::from_json(flow), &flow::Known::default());
    compiled.unwrap_or_else(|| panic!("{diagnostics:?}"))
}

/// A gate's parts over a store, with an engine that knows no flow.
pub(crate) async fn deps(store: Store, auth: Auth, limits: Limits) -> Deps {
    deps_with(store, auth, limits, Vec::new()).await
}

/// A gate's parts, with flows that take the commits of `order_management`.
pub(crate) async fn deps_with(
    store: Store,
    auth: Auth,
    limits: Limits,
    flows: Vec<flow::Definition>,
) -> Deps {
    let (clock, entropy) = (Arc::new(SystemClock), Arc::new(SystemEntropy));
    let take = |flow: &flow::Definition| react::Route {
        system: Some("order_management".to_owned()),
        action: None,
        flow: flow.name.to_string(),
    };
    let rules = react::Rules { routes: flows.iter().map(take).collect(), ..react::Rules::default() };
    let deciding = Deciding { acts: act::Rules::strict(), rules };
    let conversations = Arc::new(Conversations::new(
        store.clone(),
        deciding,
        limits.conversations,
        clock.clone(),
        Arc::new(Noop),
    ));
    let engine = flow::Engine::open(flow::Deps {
        store: store.clone(),
        systems: Systems::default(),
        conversations: conversations.clone(),
        definitions: flows,
        known: flow::Known::default(),
        clock: clock.clone(),
        entropy: entropy.clone(),
        limits: flow::Limits::default(),
        listener: Arc::new(flow::Silence),
    })
    .await
    .unwrap();
    let modes = gate::Modes::new(store.clone(), Arc::new(NoGuards), clock.clone());
    Deps {
        conversations,
        store,
        engine,
        systems: Systems::default(),
        modes,
        auth,
        limits,
        pages: Vec::new(),
        observer: Arc::new(Noop),
        recorder: Arc::new(port::Unrecorded),
        clock,
        entropy,
    }
}

/// A loopback port that stays ours when nobody listens there any more: no other test is given it.
pub(crate) struct Port {
    address: SocketAddr,
    _bound: TcpSocket,
}

impl Port {
    pub(crate) fn reserve() -> Self {
        let bound = bound(SocketAddr::from(([127, 0, 0, 1], 0)));
        Self { address: bound.local_addr().unwrap(), _bound: bound }
    }

    /// Listens there. Within a runtime.
    pub(crate) fn listen(&self) -> TcpListener {
        bound(self.address).listen(1024).unwrap()
    }
}

/// Two sockets may be bound to one port when both may be reused and only one listens.
fn bound(address: SocketAddr) -> TcpSocket {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_reuseaddr(true).unwrap();
    socket.bind(address).unwrap();
    socket
}

pub(crate) fn request(method: Method, path: &str, headers: &[(&str, &str)], body: Body) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path).header("host", "localhost");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(body).unwrap()
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    pub(crate) json: Value,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> String {
        self.headers.get(name).map_or(String::new(), |value| value.to_str().unwrap().to_owned())
    }

    /// The problem's code.
    pub(crate) fn code(&self) -> &str {
        self.json["code"].as_str().unwrap_or_default()
    }
}

/// Waits until runs have asked so often in `conv_1`.
pub(crate) async fn asked(house: &House, times: usize) {
    let mut last = String::new();
    for _ in 0..6000 {
        let read = house.get("/v1/conversations/conv_1").await;
        let acts = read.json["acts"].as_array().into_iter().flatten();
        if acts.filter(|act| act["type"] == "ask").count() >= times {
            return;
        }
        last = read.text;
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    panic!("the runs do not ask: {last}");
}

pub(crate) fn fact(id: &str, field: &str, value: Value) -> Value {
    json!({
        "id": id, "timestamp": "2026-01-01T00:00:00Z", "speaker": "local", "type": "fact",
        "entity": "order_1", "field": field, "value": value,
    })
}

pub(crate) fn ask(id: &str, field: &str) -> Value {
    json!({
        "id": id, "timestamp": "2026-01-01T00:00:00Z", "speaker": "local", "type": "ask",
        "field": field, "prompt": format!("Which {field}?"),
    })
}
