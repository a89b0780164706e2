//! Every knob, and what the record says about it.

use serde_json::{Value, json};
use sim::{Answered, Options, Outcome};

use crate::town::Town;

const MAIL: &str = "/email/messages";

fn mail() -> Value {
    json!({ "to": "a@example.org", "template": "hello" })
}

#[tokio::test]
async fn fails_as_often_as_told() {
    let town = Town::start().await;
    town.behave("email", json!({ "fail": { "status": 503, "retry_after": 7 }, "times": 2 })).await;
    let url = format!("http://{}{MAIL}", town.sim.addr());
    let refused = town.http.post(url).json(&mail()).send().await.unwrap();
    assert_eq!((refused.status().as_u16(), refused.headers()["retry-after"].to_str().unwrap()), (503, "7"));
    assert_eq!(town.call("POST", MAIL, mail()).await.0, 503);
    assert_eq!(town.call("POST", MAIL, mail()).await.0, 202);
    assert_eq!(town.effects("email", "send"), 1);
}

#[tokio::test]
async fn drops_the_connection_before_or_after_acting() {
    let town = Town::start().await;
    for (when, effects) in [("before", 0), ("after", 1)] {
        town.behave("email", json!({ "operation": "send", "drop": when, "times": 1 })).await;
        let error = town.keyed("POST", MAIL, mail(), None).await.unwrap_err();
        assert!(!error.is_connect() && !error.is_timeout(), "{error:?}");
        assert_eq!(town.effects("email", "send"), effects, "{when}");
    }
    let seen: Vec<_> = town.sim.ledger("email").unwrap().iter().map(|e| (e.outcome, e.answered)).collect();
    assert_eq!(seen, [(Outcome::Prevented, Answered::Dropped), (Outcome::Acted, Answered::Dropped)]);
    assert_eq!(town.call("POST", MAIL, mail()).await.0, 202);
}

#[tokio::test]
async fn a_late_answer_has_acted_though_the_caller_left() {
    let town = Town::start().await;
    town.behave("email", json!({ "late": 600_000 })).await;
    let call = town.keyed("POST", MAIL, mail(), None);
    tokio::select! {
        answer = call => panic!("answered {answer:?}"),
        () = acted(&town) => {}
    }
    assert_eq!(town.sim.ledger("email").unwrap()[0].answered, Answered::Late);
}

#[tokio::test]
async fn a_slow_system_has_done_nothing_for_a_caller_who_left() {
    let town = Town::start().await;
    town.behave("email", json!({ "slow": 600_000, "times": 1 })).await;
    let impatient = reqwest::Client::builder().timeout(std::time::Duration::from_millis(50)).build().unwrap();
    let url = format!("http://{}{MAIL}", town.sim.addr());
    assert!(impatient.post(url).json(&mail()).send().await.unwrap_err().is_timeout());
    assert_eq!(town.call("POST", MAIL, mail()).await.0, 202);
    assert_eq!(town.effects("email", "send"), 1);
}

#[tokio::test]
async fn one_operation_misbehaves_and_the_others_do_not() {
    let town = Town::start().await;
    town.behave("payments", json!({ "operation": "refund", "fail": { "status": 500 } })).await;
    let pay = json!({ "amount": 5, "currency": "EUR", "method": "card" });
    let (status, charge) = town.call("POST", "/payments/charges", pay).await;
    assert_eq!(status, 201);
    let refund = json!({ "charge": charge["id"] });
    assert_eq!(town.call("POST", "/payments/refunds", refund.clone()).await.0, 500);
    town.behave("payments", json!({ "reset": true })).await;
    assert_eq!(town.call("POST", "/payments/refunds", refund).await.0, 201);
}

#[tokio::test]
async fn the_record_is_on_disk_before_the_answer() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { records: Some(folder.path().to_owned()), ..Options::free_port() };
    let town = Town::with(options).await;
    town.keyed("POST", MAIL, mail(), Some("k-9")).await.unwrap();
    let text = std::fs::read_to_string(folder.path().join("email.jsonl")).unwrap();
    let entry: Value = serde_json::from_str(text.trim_end()).unwrap();
    assert_eq!(
        (&entry["seq"], &entry["key"], &entry["outcome"]),
        (&json!(1), &json!("k-9"), &json!("acted"))
    );
    let (_, page) = town.call("GET", "/_sim/email/ledger?after=0&limit=5", Value::Null).await;
    assert_eq!(page[0], entry);
}

#[tokio::test]
async fn the_same_seed_gives_the_same_ids() {
    let mut ids = Vec::new();
    for seed in [7, 7, 8] {
        let town = Town::with(Options { seed, ..Options::free_port() }).await;
        ids.push(town.call("POST", MAIL, mail()).await.1["id"].clone());
    }
    assert_eq!(ids[0], ids[1]);
    assert_ne!(ids[0], ids[2]);
}

async fn acted(town: &Town) {
    while town.effects("email", "send") == 0 {
        tokio::task::yield_now().await;
    }
}
