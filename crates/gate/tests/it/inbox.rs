//! One list of everything that waits for a person.

use serde_json::{Value, json};
use store::{Batch, DeadLetter, DeadOp, DeadState};

use crate::fixture::{House, asked};
use crate::tokens::{house_with, token};

const ACTS: &str = "/v1/conversations/conv_1/acts";

fn asks() -> Value {
    json!({
        "on": {"commit": {"system": "order_management", "action": "create"}},
        "do": [{"size": {"ask": {"field": "size", "prompt": "Which size?", "entity": "order_1"}}}],
    })
}

fn commit() -> Value {
    json!({
        "id": "act_1", "timestamp": "2026-01-01T00:00:01Z", "speaker": "local", "type": "commit",
        "entity": "order_1", "action": "create", "system": "order-management",
    })
}

fn letter(number: i64, tenant: &str) -> DeadOp {
    let at = jiff::Timestamp::from_second(1_700_000_000 + number).unwrap();
    let source = format!("run_{number}/mail");
    DeadOp::Put(DeadLetter {
        id: DeadLetter::id_of(&source),
        tenant: tenant.to_owned(),
        source,
        system: "email".to_owned(),
        operation: "send".to_owned(),
        code: "call.refused".to_owned(),
        message: "no such address".to_owned(),
        history: Vec::new(),
        input: b"{}".to_vec(),
        key: None,
        correlation: "c".to_owned(),
        first: at,
        last: at,
        state: DeadState::Open,
        resolved: None,
    })
}

#[tokio::test]
async fn a_question_is_in_the_inbox_until_its_command_has_answered_it() {
    let house = House::running(&asks()).await;
    assert_eq!(
        house.get("/v1/inbox").await.json,
        json!({"inbox": [], "next": null, "complete": true}),
        "nothing waits"
    );
    house.post(ACTS, &commit()).await;
    asked(&house, 1).await;
    let inbox = house.get("/v1/inbox").await;
    let [entry] = &inbox.json["inbox"].as_array().unwrap()[..] else { panic!("{}", inbox.text) };
    assert_eq!((&entry["what"], &entry["step"]), (&json!("question"), &json!("size")), "{entry}");
    let command = entry["commands"][0].as_str().unwrap();
    let act = command.strip_prefix("echo '").and_then(|rest| rest.strip_suffix("' | cardan act conv_1"));
    let act = act.unwrap_or_else(|| panic!("{command}"));
    let mut act: Value = serde_json::from_str(act).unwrap();
    assert_eq!((&act["speaker"], &act["value"]), (&json!("…"), &json!("…")), "what only the person knows");
    (act["speaker"], act["value"]) = (json!("local"), json!("large"));
    let answered = house.post(ACTS, &act).await;
    assert_eq!(answered.status, 200, "{}", answered.text);
    let run = entry["run"].as_str().unwrap();
    for _ in 0..6000 {
        if house.get(&format!("/v1/runs/{run}")).await.json["status"] == "succeeded" {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    assert_eq!(house.get("/v1/inbox").await.json["inbox"], json!([]));
}

#[tokio::test]
async fn pages_go_from_the_oldest_on_and_show_only_ones_own() {
    let house = House::open().await;
    let dead = vec![letter(3, "default"), letter(1, "default"), letter(2, "other")];
    house.store.commit(Batch { dead, ..Batch::default() }).await.unwrap();
    let first = house.get("/v1/inbox?limit=1").await.json;
    assert_eq!(first["inbox"][0]["run"], "run_1", "{first}");
    let id = first["inbox"][0]["letter"].as_str().unwrap();
    assert_eq!(
        first["inbox"][0]["commands"],
        json!([format!("cardan dead replay {id}"), format!("cardan dead discard {id}")])
    );
    let second =
        house.get(&format!("/v1/inbox?limit=1&after={}", first["next"].as_str().unwrap())).await.json;
    assert_eq!((&second["inbox"][0]["run"], &second["next"]), (&json!("run_3"), &Value::Null), "{second}");
    let refused = house.get("/v1/inbox?after=1").await;
    assert_eq!((refused.status, refused.code()), (400, "query.invalid"), "{}", refused.text);
}

#[tokio::test]
async fn who_may_not_see_runs_and_dead_letters_sees_no_inbox() {
    let house = house_with(&asks()).await;
    for (permissions, status) in
        [(&["flow.read"][..], 403), (&["dead.read"], 403), (&["flow.read", "dead.read"], 200)]
    {
        let answer = house.bearing(&token("ada", "acme", permissions, 60)).get("/v1/inbox").await;
        assert_eq!(answer.status, status, "{permissions:?}: {}", answer.text);
    }
}

#[tokio::test]
async fn the_ledger_wants_to_know_whose_effects_are_meant() {
    let house = House::running(&asks()).await;
    let refused = house.get("/v1/effects").await;
    assert_eq!((refused.status, refused.code()), (400, "query.invalid"), "{}", refused.text);
    let refused = house.get("/v1/effects?entity=order_1&after=x").await;
    assert_eq!((refused.status, refused.code()), (400, "query.invalid"), "{}", refused.text);
    assert_eq!(house.get("/v1/effects?run=run_0").await.code(), "run.unknown");
    house.post(ACTS, &commit()).await;
    asked(&house, 1).await;
    assert_eq!(
        house.get("/v1/effects?entity=order_1").await.json,
        json!({"effects": [], "next": null}),
        "a question is no effect"
    );
}
