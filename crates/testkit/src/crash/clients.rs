//! Concurrent clients that order pizzas and never give up on an act until it is acknowledged.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::Ledger;

/// One order, as a client made it.
#[derive(Clone, Debug)]
pub struct Order {
    /// Its number in the campaign.
    pub number: u64,
    /// Whether its card is refused.
    pub refused: bool,
}

impl Order {
    /// Every third card is refused.
    pub fn numbered(number: u64) -> Self {
        Self { number, refused: number % 3 == 2 }
    }

    /// The conversation's id.
    pub fn conversation(&self) -> String {
        format!("conv_crash_{}", self.number)
    }

    /// The order's id, in Cardan and in the systems.
    pub fn entity(&self) -> String {
        format!("order_{}", self.number)
    }

    /// The acts, in order; the last is the commit.
    pub fn acts(&self) -> Vec<Value> {
        let method = if self.refused { "tok_declined" } else { "tok_visa" };
        let facts = [
            ("customer_id", json!(format!("cust_{}", self.number))),
            (
                "items",
                json!([{ "product_id": "margherita", "quantity": 1 }, { "product_id": "diavola", "quantity": 1 }]),
            ),
            ("total_amount", json!(23.5)),
            ("delivery_address", json!("Via Roma 12, Torino")),
            ("email", json!("ada@example.com")),
            ("payment_method", json!(method)),
        ];
        let entity = json!({ "id": self.entity(), "type": "order" });
        let fact = |(field, value): (&str, Value)| json!({ "type": "fact", "entity": entity, "field": field, "value": value });
        let mut acts: Vec<Value> = facts.into_iter().map(fact).collect();
        acts.push(json!({
            "type": "commit", "entity": self.entity(), "action": "create", "system": "order_management",
        }));
        for (at, act) in acts.iter_mut().enumerate() {
            act["id"] = json!(format!("act_{}_{at}", self.number));
            act["speaker"] = json!("ada");
            act["timestamp"] = json!("2026-01-01T00:00:00Z");
        }
        acts
    }
}

/// The clients at work.
pub struct Clients {
    stop: Arc<AtomicBool>,
    next: Arc<AtomicU64>,
    tasks: JoinSet<()>,
}

impl Clients {
    /// Sets `count` clients to work against the server at `url`.
    pub fn start(url: &str, count: usize, ledger: &Ledger) -> Self {
        let (stop, next) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let mut tasks = JoinSet::new();
        for _ in 0..count {
            let client = Client { http: super::client(), url: url.to_owned(), ledger: ledger.clone() };
            let (stop, next) = (stop.clone(), next.clone());
            tasks.spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    client.order(&Order::numbered(next.fetch_add(1, Ordering::Relaxed))).await;
                }
            });
        }
        Self { stop, next, tasks }
    }

    /// Lets every client finish its order and tells how many orders were made.
    pub async fn finish(mut self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        while self.tasks.join_next().await.is_some() {}
        self.next.load(Ordering::Relaxed)
    }
}

struct Client {
    http: reqwest::Client,
    url: String,
    ledger: Ledger,
}

impl Client {
    async fn order(&self, order: &Order) {
        let conversation = order.conversation();
        for act in order.acts() {
            self.insist(&conversation, &act).await;
            self.ledger.write(&conversation, act["id"].as_str().unwrap_or_default());
        }
    }

    /// Sends the same act until it is acknowledged: the server may die at any moment.
    async fn insist(&self, conversation: &str, act: &Value) {
        let url = format!("{}/v1/conversations/{conversation}/acts", self.url);
        loop {
            let answer = self.http.post(&url).json(act).timeout(Duration::from_secs(5)).send().await;
            match answer {
                Ok(response) if response.status().is_success() => return,
                Ok(response) if response.status().is_client_error() && response.status() != 429 => {
                    let (status, body) = (response.status(), response.text().await.unwrap_or_default());
                    panic!("{status} for {act}: {body}");
                }
                _ => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    }
}
