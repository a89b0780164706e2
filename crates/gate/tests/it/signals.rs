//! Signals over HTTP.

use gate::{Auth, Limits};
use serde_json::{Value, json};
use store::Store;

use crate::fixture::House;

const ACTS: &str = "/v1/conversations/conv_1/acts";

fn listens() -> Value {
    json!({
        "key": "${ entity.id }",
        "result": "${ steps.go }",
        "do": [{ "set": { "a": 1 } }, { "go": { "listen": { "signal": "go" } } }],
    })
}

async fn begun(house: &House, commit: &str) -> String {
    let act = json!({
        "id": commit, "timestamp": "2026-01-01T00:00:00Z", "speaker": "local", "type": "commit",
        "entity": "order_1", "action": "create", "system": "order_management",
    });
    let answer = house.post(ACTS, &act).await;
    answer.json["integrations"][0]["run"].as_str().unwrap_or_else(|| panic!("{}", answer.text)).to_owned()
}

async fn until(house: &House, run: &str, status: &str) -> Value {
    for _ in 0..3000 {
        let view = house.get(&format!("/v1/runs/{run}")).await.json;
        if view["status"] == status {
            return view;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("never {status}: {}", house.get(&format!("/v1/runs/{run}")).await.text);
}

#[tokio::test]
async fn a_signal_to_a_run_is_heard_once_however_often_it_is_sent() {
    let house = House::running(&listens()).await;
    let run = begun(&house, "act_1").await;
    let path = format!("/v1/runs/{run}/signals/go");
    let key = [("idempotency-key", "k1")];
    let sent = house.post_with(&path, &key, &json!({ "n": 1 })).await;
    assert_eq!((sent.status, &sent.json["runs"][0]["id"]), (202, &json!(run)), "{}", sent.text);
    let again = house.post_with(&path, &key, &json!({ "n": 1 })).await;
    assert_eq!(
        (again.status, again.header("idempotency-replayed").as_str()),
        (202, "true"),
        "{}",
        again.text
    );
    let view = until(&house, &run, "succeeded").await;
    assert_eq!(view["result"], json!({ "n": 1 }));
    let late = house.post(&path, &json!({ "n": 2 })).await;
    assert_eq!((late.status, late.code()), (409, "run.state"), "{}", late.text);
    let still = house.post_with(&path, &key, &json!({ "n": 1 })).await;
    assert_eq!(still.status, 202, "the first answer, also when the run is over: {}", still.text);
    let other = house.post_with(&path, &key, &json!({ "n": 3 })).await;
    assert_eq!((other.status, other.code()), (422, "idempotency.mismatch"), "{}", other.text);
}

#[tokio::test]
async fn a_signal_to_a_key_goes_to_the_run_whose_turn_it_is() {
    let house = House::running(&listens()).await;
    let nobody = house.post("/v1/signals/go?key=order_1", &json!(1)).await;
    assert_eq!((nobody.status, nobody.code()), (404, "run.unknown"), "{}", nobody.text);
    let (first, second) = (begun(&house, "act_1").await, begun(&house, "act_2").await);
    until(&house, &first, "waiting").await;
    let sent = house.post("/v1/signals/go?key=order_1&flow=create-order", &json!(1)).await;
    assert_eq!(sent.json["runs"].as_array().map(Vec::len), Some(1), "{}", sent.text);
    assert_eq!(until(&house, &first, "succeeded").await["result"], 1);
    until(&house, &second, "waiting").await;
    assert_eq!(house.post("/v1/signals/go?key=order_1", &json!(2)).await.status, 202);
    assert_eq!(until(&house, &second, "succeeded").await["result"], 2);
    let elsewhere = house.post("/v1/signals/go?key=order_1&flow=other", &json!(1)).await;
    assert_eq!(elsewhere.status, 404);
    assert_eq!(house.post("/v1/signals/go", &json!(1)).await.code(), "query.invalid");
}

#[tokio::test]
async fn a_signal_may_be_nothing_and_may_be_too_large() {
    let house = House::running(&listens()).await;
    let run = begun(&house, "act_1").await;
    let path = format!("/v1/runs/{run}/signals/go");
    let large = house.post(&path, &json!("x".repeat(65_536))).await;
    assert_eq!((large.status, large.code()), (413, "body.too_large"), "{}", large.text);
    let request = crate::fixture::request(http::Method::POST, &path, &[], axum::body::Body::empty());
    assert_eq!(house.send(request).await.status, 202);
    assert_eq!(until(&house, &run, "succeeded").await["result"], Value::Null);
}

#[tokio::test]
async fn who_may_not_send_signals_does_not() {
    let house = House::over(Store::temporary().unwrap(), Auth::Loopback, Limits::default()).await;
    assert_eq!(house.post("/v1/runs/run_x/signals/go", &json!(1)).await.code(), "run.unknown");
    let document = house.get("/openapi.json").await.json;
    for path in ["/v1/runs/{id}/signals/{name}", "/v1/signals/{name}"] {
        assert!(document["paths"][path]["post"].is_object(), "{path}");
    }
}
