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
    let words = "payments: forced_open, was automatic; until changed, or until the server restarts\n";
    assert_eq!(forced.done(), words);
    let rows = scene.rows(&["system", "list"]).await;
    assert_eq!(rows.iter().find(|row| row[0] == "payments").unwrap()[2..4], ["open", "forced_open"]);
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
        let words = format!("payments: {mode}, was {was}; until changed, or until the server restarts\n");
        assert_eq!(told.done(), words);
        let rows = scene.rows(&["system", "list"]).await;
        assert_eq!(rows.iter().find(|row| row[0] == "payments").unwrap()[2..4], ["closed", mode]);
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
            cardan: 404 system.unknown: the system has no circuit breaker
        "#]]);
    }
    scene.cardan(&["system", "disable", "nowhere"]).await.refused(&expect![[r#"
        cardan: 404 system.unknown: No such system
    "#]]);
}
