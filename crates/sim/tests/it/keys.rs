//! Idempotency keys, honoured and ignored.

use serde_json::json;
use sim::{Options, Outcome};

use crate::town::Town;

#[tokio::test]
async fn a_key_acts_once_and_is_bound_to_its_request() {
    let town = Town::start().await;
    let pay = json!({ "amount": 5, "currency": "EUR", "method": "card" });
    let first = town.keyed("POST", "/payments/charges", pay.clone(), Some("k-1")).await.unwrap();
    let again = town.keyed("POST", "/payments/charges", pay, Some("k-1")).await.unwrap();
    assert_eq!(first, again);
    let other = json!({ "amount": 6, "currency": "EUR", "method": "card" });
    assert_eq!(town.keyed("POST", "/payments/charges", other, Some("k-1")).await.unwrap().0, 422);
    let seen: Vec<_> = town.sim.ledger("payments").unwrap().iter().map(|entry| entry.outcome).collect();
    assert_eq!(seen, [Outcome::Acted, Outcome::Replayed, Outcome::Declined]);
    assert!(town.sim.effects("payments").unwrap().repeated.is_empty());
}

#[tokio::test]
async fn an_ignored_key_acts_again_and_the_ledger_says_so() {
    let town = Town::with(Options { honour_keys: false, ..Options::free_port() }).await;
    let pay = json!({ "amount": 5, "currency": "EUR", "method": "card" });
    for _ in 0..3 {
        town.keyed("POST", "/payments/charges", pay.clone(), Some("k-1")).await.unwrap();
    }
    assert_eq!(town.sim.effects("payments").unwrap().repeated["k-1"], 3);
}

#[tokio::test]
async fn a_refusal_may_be_tried_again_under_its_key() {
    let town = Town::start().await;
    let pay = json!({ "amount": 5, "currency": "EUR", "method": "card" });
    town.behave("payments", json!({ "operation": "charge", "refuse": "card_declined", "times": 1 })).await;
    let refused = town.keyed("POST", "/payments/charges", pay.clone(), Some("k-1")).await.unwrap();
    assert_eq!((refused.0, &refused.1["title"]), (402, &json!("card_declined")));
    assert_eq!(town.keyed("POST", "/payments/charges", pay, Some("k-1")).await.unwrap().0, 201);
}
