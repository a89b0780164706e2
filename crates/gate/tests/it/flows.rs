//! What an act sets in motion, and what runs say.

use serde_json::{Value, json};

use crate::fixture::{House, asked, fact};

const ACTS: &str = "/v1/conversations/conv_1/acts";
const PATIENT: &[(&str, &str)] = &[("prefer", "wait=20")];

fn commit(id: &str) -> Value {
    json!({
        "id": id, "timestamp": "2026-01-01T00:00:01Z", "speaker": "local", "type": "commit",
        "entity": "order_1", "action": "create", "system": "order-management",
    })
}

fn flow(steps: Value) -> Value {
    json!({"on": {"commit": {"system": "order_management", "action": "create"}}, "do": steps})
}

#[tokio::test]
async fn a_caller_who_waits_is_told_each_systems_result() {
    let house = House::running(&flow(json!([{"set": {"a": 1}}]))).await;
    let answer = house.post_with(ACTS, PATIENT, &commit("act_1")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let integration = &answer.json["integrations"][0];
    assert_eq!(
        (&integration["system"], &integration["status"]),
        (&json!("order_management"), &json!("success"))
    );
    let run = house.get(&format!("/v1/runs/{}", integration["run"].as_str().unwrap())).await;
    assert_eq!(
        (&run.json["status"], &run.json["commit"]),
        (&json!("succeeded"), &json!("act_1")),
        "{}",
        run.text
    );
    let told = house.get("/v1/conversations/conv_1").await.json["acts"].as_array().unwrap().clone();
    let statuses: Vec<&str> = told.iter().filter_map(|act| act["status"].as_str()).collect();
    assert_eq!(statuses.last(), Some(&"success"), "{told:?}");
}

#[tokio::test]
async fn a_caller_who_does_not_wait_is_told_that_it_is_pending() {
    let house = House::running(&flow(json!([{"set": {"a": 1}}]))).await;
    let answer = house.post(ACTS, &commit("act_1")).await;
    assert_eq!(
        (answer.status, &answer.json["integrations"][0]["status"]),
        (202, &json!("pending")),
        "{}",
        answer.text
    );
}

#[tokio::test]
async fn b12_the_same_commit_starts_no_second_run() {
    let house = House::running(&flow(json!([{"set": {"a": 1}}]))).await;
    let first = house.post_with(ACTS, PATIENT, &commit("act_1")).await;
    let again = house.post_with(ACTS, PATIENT, &commit("act_1")).await;
    assert_eq!((again.status, &again.json["replayed"]), (200, &json!(true)), "{}", again.text);
    assert_eq!(again.json["integrations"], first.json["integrations"]);
    assert_eq!(house.get("/v1/runs").await.json["runs"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_failure_is_told_with_its_reason() {
    let raise = json!([{"raise": {"code": "order.too_large", "message": "the order is too large"}}]);
    let house = House::running(&flow(raise)).await;
    let answer = house.post_with(ACTS, PATIENT, &commit("act_1")).await;
    let integration = &answer.json["integrations"][0];
    assert_eq!((answer.status, &integration["status"]), (200, &json!("error")), "{}", answer.text);
    assert_eq!(
        (&integration["error"], &integration["recoverable"]),
        (&json!("the order is too large"), &json!(false))
    );
    let events = house.events("conversation-conv_1").await;
    assert!(
        events.iter().any(|(type_, data)| type_ == "BusinessActionFailed" && data["commit_id"] == "act_1")
    );
}

/// A flow that ends when somebody names a size.
fn asks() -> Value {
    flow(json!([{"size": {"ask": {"field": "size", "prompt": "Which size?", "entity": "order_1"}}}]))
}

#[tokio::test]
async fn a_run_asks_and_an_act_answers() {
    let house = House::running(&asks()).await;
    let answer = house.post_with(ACTS, &[("prefer", "wait=200ms")], &commit("act_1")).await;
    assert_eq!(answer.json["integrations"][0]["status"], "pending", "{}", answer.text);
    let run = answer.json["integrations"][0]["run"].as_str().unwrap().to_owned();
    asked(&house, 1).await;
    let acts = house.get("/v1/conversations/conv_1").await.json["acts"].as_array().unwrap().clone();
    let asked = acts.iter().find(|act| act["type"] == "ask").unwrap_or_else(|| panic!("{acts:?}"));
    assert_eq!((&asked["speaker"], &asked["prompt"]), (&json!("create-order"), &json!("Which size?")));
    let heard = house.post(ACTS, &fact("act_2", "size", json!("large"))).await;
    assert_eq!((heard.status, &heard.json["nextActions"]), (200, &json!([])), "{}", heard.text);
    for _ in 0..3000 {
        if house.get(&format!("/v1/runs/{run}")).await.json["status"] == "succeeded" {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("the answer was not heard: {}", house.get(&format!("/v1/runs/{run}")).await.text);
}

/// One deadline for the whole request: not one for each act, one after the other.
#[tokio::test]
async fn the_runs_of_an_array_are_waited_for_together() {
    const SECOND: &[(&str, &str)] = &[("prefer", "wait=1")];
    // Who waits gives the only turn back: whoever is answered meanwhile has come later.
    let limits = gate::Limits { in_flight: 1, ..gate::Limits::default() };
    let house = House::running_within(&asks(), limits).await;
    let (caller, acts) = (house.clone(), json!([commit("act_1"), commit("act_2")]));
    let mut array = Box::pin(async move { caller.post_with(ACTS, SECOND, &acts).await });
    // So that it is the first to come.
    assert!(futures_util::future::poll_immediate(&mut array).await.is_none());
    let array = tokio::spawn(array);
    asked(&house, 2).await;
    let later = house.post_with(ACTS, SECOND, &commit("act_1")).await;
    assert_eq!(later.json["integrations"][0]["status"], "pending", "{}", later.text);
    // The array's second is over before this one's: what ends now comes too late for both of its acts.
    while house.post(ACTS, &fact("act_3", "size", json!("large"))).await.status != 200 {
        // The array has its turn back, and soon given away again.
        tokio::task::yield_now().await;
    }
    let answer = array.await.unwrap();
    let status = |act: usize| answer.json[act]["integrations"][0]["status"].as_str();
    assert_eq!((status(0), status(1)), (Some("pending"), Some("pending")), "{}", answer.text);
}

/// F12: who waits for a run is not worked on.
#[tokio::test]
async fn a_caller_who_waits_leaves_the_turn_to_others() {
    let limits = gate::Limits { in_flight: 1, ..gate::Limits::default() };
    let house = House::running_within(&asks(), limits).await;
    let caller = house.clone();
    let mut waiting = Box::pin(async move { caller.post_with(ACTS, PATIENT, &commit("act_1")).await });
    // So that it is the first to come.
    assert!(futures_util::future::poll_immediate(&mut waiting).await.is_none());
    let waiting = tokio::spawn(waiting);
    asked(&house, 1).await;
    assert!(!waiting.is_finished());
    assert_eq!(house.post(ACTS, &fact("act_2", "size", json!("large"))).await.status, 200);
    let answer = waiting.await.unwrap();
    assert_eq!(
        (answer.status, &answer.json["integrations"][0]["status"]),
        (200, &json!("success")),
        "{}",
        answer.text
    );
}

/// Status and document say one thing.
#[tokio::test]
async fn what_is_pending_comes_with_202() {
    let house = House::running(&flow(json!([{"wait": "1h"}]))).await;
    let impatient: &[(&str, &str)] = &[("prefer", "wait=10ms")];
    let one = house.post_with(ACTS, impatient, &commit("act_1")).await;
    let many = house.post_with(ACTS, impatient, &json!([commit("act_2")])).await;
    assert_eq!((one.status, many.status), (202, 202), "{} {}", one.text, many.text);
    assert_eq!(one.json["integrations"][0]["status"], "pending");
    let again = house.post(ACTS, &commit("act_1")).await;
    assert_eq!((again.status, &again.json["replayed"]), (202, &json!(true)));
    let line = house.lines(ACTS, &commit("act_3").to_string()).await;
    assert_eq!((&line[0]["status"], &line[0]["integrations"][0]["status"]), (&json!(202), &json!("pending")));
}

/// A commit that a run emits begins a run below it; how many stand below one another is bounded.
#[tokio::test]
async fn a_flow_that_starts_itself_by_a_commit_comes_to_an_end() {
    let again =
        json!({"type": "commit", "entity": "order_1", "action": "create", "system": "order_management"});
    let house = House::running(&flow(json!([{"again": {"emit": again}}]))).await;
    let first = house.post(ACTS, &commit("act_1")).await;
    assert_eq!(first.status, 202, "{}", first.text);
    let mut failed = Value::Null;
    for _ in 0..3000 {
        failed = house.get("/v1/runs?status=failed").await.json["runs"][0]["id"].clone();
        if failed.is_string() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let view = house.get(&format!("/v1/runs/{}", failed.as_str().unwrap_or_default())).await.json;
    assert_eq!((&view["error"]["code"], &view["error"]["step"]), (&json!("flow.too_deep"), &json!("again")));
    let runs = house.get("/v1/runs?limit=100").await.json["runs"].as_array().unwrap().len();
    assert_eq!(runs, 33, "the first, and 32 below it");
}
