//! One id to search the log for: the act, the run, its calls with their attempts, and what came of it.

use serde_json::{Value, json};

use crate::scene::Scene;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// A server that logs as it does unless told otherwise, whose payments refuse the first attempt.
async fn shaky() -> Scene {
    let scene = Scene::logging("info").await;
    scene.behave("payments", &json!({ "operation": "charge", "fail": { "status": 503 }, "times": 1 })).await;
    scene
}

fn about<'a>(lines: &'a [Value], message: &str) -> Vec<&'a Value> {
    lines.iter().filter(|line| line["message"] == message).collect()
}

#[tokio::test]
async fn one_correlation_id_finds_the_act_the_run_its_calls_and_the_outcome() {
    let scene = shaky().await;
    let parent = format!("00-{TRACE}-00f067aa0ba902b7-01");
    let headers = [("x-correlation-id", "ticket-4711"), ("traceparent", &parent)];
    let answer = scene.order("order_1", &headers).await;
    assert_eq!(answer.headers()["x-correlation-id"], "ticket-4711");
    let response = answer.headers()["traceresponse"].to_str().unwrap().to_owned();
    assert!(response.starts_with(&format!("00-{TRACE}-")) && response != parent, "{response}");
    let run = Scene::run_of(answer).await;
    scene.run_is(&run, "succeeded").await;
    scene.mails().await;

    let all = scene.log();
    let lines: Vec<Value> =
        all.iter().filter(|line| line["correlation_id"] == "ticket-4711").cloned().collect();
    let act = about(&lines, "act started a run");
    assert_eq!(act.len(), 1, "{lines:#?}");
    assert_eq!(
        (&act[0]["act_type"], &act[0]["run"], &act[0]["trace_id"]),
        (&json!("commit"), &json!(run), &json!(TRACE))
    );
    assert_eq!(about(&lines, "run started").len(), 1);
    let charge = |line: &&&Value| line["integration_operation"] == "charge";
    let failed: Vec<_> =
        about(&lines, "call failed").iter().filter(charge).map(|line| line["attempt"].clone()).collect();
    let answered: Vec<_> =
        about(&lines, "call answered").iter().filter(charge).map(|line| line["attempt"].clone()).collect();
    assert_eq!((failed, answered), (vec![json!(1)], vec![json!(2)]), "{lines:#?}");
    let over = about(&lines, "call is over");
    assert_eq!((over.len(), &over[0]["attempts"], &over[0]["step"]), (1, &json!(2), &json!("charge")));
    let done: Vec<&str> =
        about(&lines, "run went on").iter().filter_map(|line| line["step"].as_str()).collect();
    assert_eq!(done, ["reserve[0]", "record", "contact", "charge", "mail"], "{lines:#?}");
    let ended = about(&lines, "run ended");
    assert_eq!((ended.len(), &ended[0]["status"], &ended[0]["run"]), (1, &json!("succeeded"), &json!(run)));

    // Nothing about this run is told without the id, and every call carried the caller's trace.
    let lost: Vec<&Value> = all
        .iter()
        .filter(|line| line["run"] == json!(run) && line["correlation_id"] != "ticket-4711")
        .collect();
    assert_eq!(lost, Vec::<&Value>::new());
    for system in ["inventory", "orders", "crm", "payments", "email"] {
        for call in scene.ledger(system).await {
            assert_eq!(call["correlation"], "ticket-4711", "{system}: {call}");
            assert!(
                call["traceparent"].as_str().unwrap().starts_with(&format!("00-{TRACE}-")),
                "{system}: {call}"
            );
        }
    }
}

/// The spans that were written, each as its line.
fn spans(lines: &[Value]) -> Vec<&Value> {
    lines.iter().filter(|line| line["target"] == "span").collect()
}

/// What a span is part of, and what that is part of, up to the request.
fn ancestors<'a>(spans: &[&'a Value], span: &Value) -> Vec<&'a Value> {
    let parent = spans.iter().find(|other| other["span_id"] == span["parent_id"]);
    parent.map_or_else(Vec::new, |parent| [vec![*parent], ancestors(spans, parent)].concat())
}

#[tokio::test]
async fn what_a_system_was_sent_is_a_span_that_was_recorded_below_the_request() {
    let scene = Scene::logging("info,span=debug").await;
    scene.behave("payments", &json!({ "operation": "charge", "fail": { "status": 503 }, "times": 1 })).await;
    let parent = format!("00-{TRACE}-00f067aa0ba902b7-01");
    let answer = scene.order("order_1", &[("traceparent", &parent)]).await;
    let answered = answer.headers()["traceresponse"].to_str().unwrap().to_owned();
    let run = Scene::run_of(answer).await;
    scene.run_is(&run, "succeeded").await;

    let lines = scene.log();
    let ours: Vec<&Value> = spans(&lines).into_iter().filter(|span| span["trace_id"] == TRACE).collect();
    let of = |id: &Value| ours.iter().find(|span| span["span_id"] == *id).copied();
    let door = of(&json!(answered.split('-').nth(2).unwrap())).expect("the request's span");
    assert_eq!((&door["kind"], &door["parent_id"]), (&json!("server"), &json!("00f067aa0ba902b7")), "{door}");
    for system in ["inventory", "orders", "crm", "payments"] {
        for call in scene.ledger(system).await {
            let sent = call["traceparent"].as_str().unwrap().split('-').nth(2).unwrap();
            let attempt = of(&json!(sent)).unwrap_or_else(|| panic!("{system}: {sent} in {ours:#?}"));
            assert_eq!(attempt["kind"], "client", "{attempt}");
            let execute = of(&attempt["parent_id"]).expect("the span of the call");
            assert_eq!(execute["name"], "integration.execute");
            let above = ancestors(&ours, execute);
            let step = above[0]["attributes"].as_str().unwrap();
            assert!(step.contains(&format!(r#""integration.name":"{system}""#)), "{}", above[0]);
            let names: Vec<&str> = above[1..].iter().map(|span| span["name"].as_str().unwrap()).collect();
            let request = "POST /v1/conversations/{id}/acts";
            assert_eq!(names, ["process-commit", "process-act", request], "{above:#?}");
            assert_eq!(above[3]["span_id"], door["span_id"]);
        }
    }
    let charges: Vec<_> = ours.iter().filter(|span| span["name"] == "payments.charge").collect();
    assert_eq!(charges.len(), 2, "one span for each attempt: {charges:#?}");
    assert!(charges[0]["error"].is_string() && charges[1]["error"].is_null(), "{charges:#?}");
    assert_eq!(charges[0]["parent_id"], charges[1]["parent_id"]);
    // Every line about the trace names a span of it that was recorded.
    let within: Vec<_> =
        lines.iter().filter(|line| line["trace_id"] == TRACE && line["target"] != "span").collect();
    assert!(within.len() > 10 && within.iter().all(|line| of(&line["span_id"]).is_some()), "{within:#?}");
    // Without a correlation id of its own the trace is one.
    let outside = lines.iter().filter(|line| line["correlation_id"] == TRACE && line["trace_id"] != TRACE);
    assert_eq!(outside.collect::<Vec<_>>(), Vec::<&Value>::new());
}

#[tokio::test]
async fn a_trace_that_its_caller_does_not_record_is_not_recorded_here_either() {
    let scene = Scene::logging("info,span=debug").await;
    let answer = scene.order("order_1", &[("traceparent", &format!("00-{TRACE}-00f067aa0ba902b7-00"))]).await;
    scene.run_is(&Scene::run_of(answer).await, "succeeded").await;
    let lines = scene.log();
    assert!(spans(&lines).iter().all(|span| span["trace_id"] != TRACE), "{lines:#?}");
    for call in scene.ledger("payments").await {
        assert!(call["traceparent"].as_str().unwrap().ends_with("-00"), "{call}");
    }
}
