//! What an operator tells a breaker, and what becomes of the runs that need its system.

use expect_test::expect;
use serde_json::{Value, json};

use crate::scene::Scene;

/// The example with a payment guard that is asked again soon.
async fn soon() -> Scene {
    let guard = "guard: { breaker: { open_for: 200ms, open_jitter: 0 } }";
    let profile = "  payments:\n    profile: salesSystem\n";
    Scene::with(|text| text.replace(profile, &format!("{profile}    {guard}\n"))).await
}

/// What the server wrote about the switches of the operator.
fn told(scene: &Scene) -> Vec<Value> {
    let lines = scene.log();
    let told = lines.iter().filter(|line| line["message"] == "breaker told by an operator");
    told.map(|line| json!([line["integration_system"], line["principal"], line["from"], line["to"]]))
        .collect()
}

#[tokio::test]
async fn a_run_waits_for_a_breaker_that_is_forced_open_and_goes_on_after_automatic() {
    let scene = soon().await;
    let forced = scene.cardan(&["system", "force-open", "payments"]).await;
    let words = "payments: forced_open, was automatic; until changed\n";
    assert_eq!(forced.done(), words);
    let rows = scene.rows(&["system", "list"]).await;
    assert_eq!(rows.iter().find(|row| row[0] == "payments").unwrap()[4..6], ["open", "forced_open"]);
    let run = scene.ordered("order_1").await;
    scene.run_waits_for(&run, "breaker_open").await;
    let view = scene.json(&["flow", "show", "--json", &run]).await;
    assert_eq!(
        (&view["blocked_on"]["step"], &view["status"]),
        (&json!("charge"), &json!("waiting")),
        "{view}"
    );
    assert_eq!(scene.ledger("payments").await, Vec::<Value>::new(), "nothing left the house");
    let shown = scene.json(&["system", "show", "payments"]).await;
    assert_eq!(
        (&shown["status"]["mode"], &shown["status"]["lanes"][0]["mode"]),
        (&json!("forced_open"), &json!("forced_open"))
    );
    let metrics = scene.page("/metrics").await;
    assert!(metrics.contains("\ncircuit_breaker_state{integration=\"payments\"} 1\n"), "{metrics}");
    let health: Value = serde_json::from_str(&scene.page("/health/adapters").await).unwrap();
    assert_eq!(
        health["checks"]["payments"],
        json!({ "status": "fail", "message": "breaker is forced open" })
    );

    let back = scene.cardan(&["system", "automatic", "payments"]).await;
    assert_eq!(back.done(), "payments: automatic, was forced_open\n");
    scene.run_is(&run, "succeeded").await;
    assert_eq!(scene.ledger("payments").await.len(), 1);
    assert!(scene.page("/metrics").await.contains("\ncircuit_breaker_state{integration=\"payments\"} 0\n"));
    let expected = [["automatic", "forced_open"], ["forced_open", "automatic"]];
    assert_eq!(told(&scene), expected.map(|[from, to]| json!(["payments", "local", from, to])));
}

#[tokio::test]
async fn a_disabled_and_a_watching_breaker_let_everything_pass() {
    let scene = soon().await;
    for (verb, mode, was) in [("disable", "disabled", "automatic"), ("observe", "observe_only", "disabled")] {
        let told = scene.cardan(&["system", verb, "payments"]).await;
        let words = format!("payments: {mode}, was {was}; until changed\n");
        assert_eq!(told.done(), words);
        let rows = scene.rows(&["system", "list"]).await;
        assert_eq!(rows.iter().find(|row| row[0] == "payments").unwrap()[4..6], ["closed", mode]);
        let run = scene.ordered(&format!("order_{mode}")).await;
        scene.run_is(&run, "succeeded").await;
    }
}

#[tokio::test]
async fn a_system_that_is_unknown_or_has_no_breaker_is_refused() {
    let profile = "  email:\n    profile: emailGateway\n";
    let scene =
        Scene::with(|text| text.replace(profile, &format!("{profile}    guard: {{ breaker: off }}\n"))).await;
    for verb in ["reset", "force-open"] {
        scene.cardan(&["system", verb, "email"]).await.refused(&expect![[r#"
            cardan: 404 breaker.unknown: the system has no circuit breaker
        "#]]);
    }
    scene.cardan(&["system", "disable", "nowhere"]).await.refused(&expect![[r#"
        cardan: 404 system.unknown: No such system
    "#]]);
}

/// Payments keep a breaker per tenant and orders one per operation; both open at once, for long.
async fn apart() -> Scene {
    let scene = Scene::with(|text| {
        ["payments: tenant", "orders: operation"].iter().fold(text, |text, told| {
            let (system, per) = told.split_once(": ").unwrap();
            let profile = format!("  {system}:\n    profile: salesSystem\n");
            let breaker = format!("{{ per: {per}, consecutive_failures: 1, open_for: 5m }}");
            let guard = format!("guard: {{ retry: {{ max_attempts: 1 }}, breaker: {breaker} }}");
            text.replace(&profile, &format!("{profile}    {guard}\n"))
        })
    });
    let scene = scene.await;
    scene.fill().await;
    scene
}

#[tokio::test]
async fn one_breaker_of_a_system_is_told_and_its_neighbours_pass() {
    let scene = apart().await;
    let told = scene.cardan(&["system", "force-open", "orders", "--operation", "cancel"]).await;
    assert_eq!(told.done(), "orders operation \"cancel\": forced_open, was automatic; until changed\n");
    let run = scene.ordered("order_1").await;
    scene.run_is(&run, "succeeded").await;
    let rows = scene.rows(&["system", "list"]).await;
    let shown =
        rows.iter().filter(|row| row[0] == "orders" || row[0] == "payments").map(|row| row[2..6].to_vec());
    let expected = [
        ["cancel", "-", "open", "forced_open"],
        ["create", "-", "closed", "automatic"],
        ["-", "default", "closed", "automatic"],
    ];
    assert_eq!(shown.collect::<Vec<_>>(), expected);
    let health: Value = serde_json::from_str(&scene.page("/health/adapters").await).unwrap();
    assert_eq!(
        health["checks"]["orders"],
        json!({ "status": "warn", "message": "some of its breakers are forced open" })
    );

    for verb in ["force-open", "reset"] {
        scene.cardan(&["system", verb, "payments", "--key", "acme"]).await.refused(&expect![[r#"
            cardan: 404 breaker.unknown: the system has no circuit breaker for key "acme"; it has some for key "default"
        "#]]);
    }
    scene.cardan(&["system", "force-open", "payments", "--key", "default"]).await.done();
    let run = scene.ordered("order_2").await;
    scene.run_waits_for(&run, "breaker_open").await;
    let back = scene.cardan(&["system", "automatic", "payments", "--key", "default"]).await;
    assert_eq!(back.done(), "payments key \"default\": automatic, was forced_open\n");
    scene.run_is(&run, "succeeded").await;
    let lines = scene.log();
    let audited = lines.iter().filter(|line| line["message"] == "breaker told by an operator");
    let audited: Vec<_> =
        audited.map(|line| [&line["integration_operation"], &line["breaker_key"]]).collect();
    let none = &Value::Null;
    assert_eq!(audited, [[&json!("cancel"), none], [none, &json!("default")], [none, &json!("default")]]);
}

#[tokio::test]
async fn a_reset_of_one_key_wakes_the_runs() {
    let scene = apart().await;
    scene.behave("payments", &json!({ "operation": "charge", "fail": { "status": 503 } })).await;
    let tried = scene.ordered("order_1").await;
    scene.run_is(&tried, "paused").await;
    let run = scene.ordered("order_2").await;
    scene.run_waits_for(&run, "breaker_open").await;
    scene.behave("payments", &json!({ "reset": true })).await;
    let reset = scene.cardan(&["system", "reset", "payments", "--key", "default"]).await;
    assert_eq!(reset.done(), "payments key \"default\": reset\n");
    scene.run_is(&run, "succeeded").await;
    let lines = scene.log();
    let changed = lines.iter().filter(|line| line["message"] == "breaker changed");
    let changed: Vec<_> = changed.map(|line| (&line["breaker_key"], &line["to"])).collect();
    let expected = ["Open", "Closed"].map(|to| (json!("default"), json!(to)));
    assert_eq!(changed, expected.each_ref().map(|(key, to)| (key, to)));
}

#[tokio::test]
async fn what_an_operator_said_holds_after_a_kill() {
    let mut scene = apart().await;
    let first = scene.ordered("order_0").await;
    scene.run_is(&first, "succeeded").await;
    let reason = ["--reason", "charges twice"];
    let forced = ["system", "force-open", "payments", "--key", "default"];
    scene.cardan(&[&forced[..], &reason].concat()).await.done();
    scene.cardan(&["system", "force-open", "email", "--for", "2h"]).await.done();
    scene.killed().await;

    let shown = scene.json(&["system", "show", "payments"]).await;
    let order = &shown["orders"][0];
    assert_eq!(
        (&order["mode"], &order["key"], &order["by"], &order["reason"]),
        (&json!("forced_open"), &json!("default"), &json!("local"), &json!("charges twice"))
    );
    assert!(scene.json(&["system", "show", "email"]).await["orders"][0]["until"].is_string());
    let run = scene.ordered("order_1").await;
    scene.run_waits_for(&run, "breaker_open").await;
    assert_eq!(scene.ledger("payments").await.len(), 1, "only what was charged before");
    let back = scene.cardan(&["system", "automatic", "payments", "--key", "default"]).await;
    assert_eq!(back.done(), "payments key \"default\": automatic, was forced_open\n");
    scene.run_is(&run, "succeeded").await;
}
