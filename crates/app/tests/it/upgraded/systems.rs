//! The systems that the old store's runs had called: they remember what was asked of them before the kill.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use parking_lot::Mutex;
use serde_json::{Value, json};

/// What was asked, before the kill and after it. Everything asked now is done, and a key that was used gets the answer
/// of its first use, as at a system that keeps keys.
#[derive(Default)]
pub(super) struct Ledger {
    /// The effect of a key: its path, body and id.
    effects: BTreeMap<String, Effect>,
    /// The keys that were sent before the kill.
    old: Vec<String>,
    /// Keys that came now, in order.
    pub(super) came: Vec<(String, String)>,
    /// What no system may see.
    pub(super) wrong: Vec<String>,
}

struct Effect {
    path: String,
    body: Value,
    id: String,
}

impl Ledger {
    /// What the systems had seen when the old server was killed.
    pub(super) fn before(entries: &[Value]) -> Self {
        let mut ledger = Self::default();
        for entry in entries {
            let text = |member: &str| entry[member].as_str().unwrap_or_default().to_owned();
            ledger.old.push(text("key"));
            if entry["landed"] == true {
                let effect = Effect { path: text("path"), body: entry["body"].clone(), id: text("id") };
                // What is asked without a key acts each time; it has an entry of its own.
                let key = Some(text("key")).filter(|key| !key.is_empty()).unwrap_or_else(|| text("id"));
                ledger.effects.insert(key, effect);
            }
        }
        ledger
    }

    /// How often something was done for an order.
    pub(super) fn done(&self, path: &str, order: &str) -> usize {
        let done = |effect: &&Effect| effect.path == path && effect.body["order"] == order;
        self.effects.values().filter(done).count()
    }

    /// Whether a key was sent before the kill.
    pub(super) fn is_old(&self, key: &str) -> bool {
        self.old.iter().any(|old| old == key)
    }

    fn ask(&mut self, path: &str, key: Option<&str>, body: Value) -> Value {
        let number = self.effects.len();
        let name = key.map_or_else(|| format!("unkeyed_{number}"), str::to_owned);
        self.came.push((path.to_owned(), name.clone()));
        if let Some(effect) = self.effects.get(&name) {
            if (effect.path.as_str(), &effect.body) != (path, &body) {
                self.wrong.push(format!(
                    "key {name} stands for {} {} and for {path} {body}",
                    effect.path, effect.body
                ));
            }
            return json!({ "id": effect.id });
        }
        let id = format!("new{number}");
        self.effects.insert(name, Effect { path: path.to_owned(), body, id: id.clone() });
        json!({ "id": id })
    }
}

/// Serves them; their address.
pub(super) async fn serve(ledger: Arc<Mutex<Ledger>>) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = axum::Router::new().fallback(answer).with_state(ledger);
    tokio::spawn(async move { axum::serve(listener, app).await });
    format!("http://{address}")
}

async fn answer(
    State(ledger): State<Arc<Mutex<Ledger>>>,
    request: Request,
) -> (StatusCode, axum::Json<Value>) {
    let (head, body) = request.into_parts();
    let path = head.uri.path().to_owned();
    if head.method == "GET" {
        return (StatusCode::OK, axum::Json(json!({ "found": true, "id": "found" })));
    }
    let key = head.headers.get("idempotency-key").map(|key| key.to_str().unwrap().to_owned());
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
    (StatusCode::CREATED, axum::Json(ledger.lock().ask(&path, key.as_deref(), body)))
}
