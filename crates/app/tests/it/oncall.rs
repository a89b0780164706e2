//! What somebody who is called at night asks first: what is down, what is stuck and why; and that it goes on.

use serde_json::{Value, json};

use crate::scene::Scene;

/// Payments are down: one run has given up on them, which opened their breaker, and another waits for it.
async fn down() -> (Scene, String) {
    let guard = "guard: { retry: { max_attempts: 1 }, breaker: { consecutive_failures: 1, open_for: 5m } }";
    let profile = "  payments:\n    profile: salesSystem\n";
    let scene = Scene::with(|text| text.replace(profile, &format!("{profile}    {guard}\n"))).await;
    scene.fill().await;
    scene.behave("payments", &json!({ "operation": "charge", "fail": { "status": 503 } })).await;
    let tried = scene.ordered("order_1").await;
    scene.run_is(&tried, "paused").await;
    let run = scene.ordered("order_2").await;
    scene.run_waits_for(&run, "breaker_open").await;
    (scene, run)
}

#[tokio::test]
async fn an_open_breaker_is_seen_whatever_was_heard_last() {
    let (scene, _run) = down().await;
    let page = reqwest::get(scene.at("/health/adapters")).await.unwrap();
    assert_eq!(page.status(), 503);
    let health: Value = page.json().await.unwrap();
    assert_eq!(health["checks"]["payments"], json!({ "status": "fail", "message": "breaker is open" }));
    let metrics = scene.page("/metrics").await;
    for line in [
        "integration_health{integration=\"payments\"} 0",
        "cardan_live_runs{status=\"waiting\"} 1",
        "cardan_live_runs{status=\"paused\"} 1",
        "cardan_open_dead_letters 1",
    ] {
        assert!(metrics.lines().any(|found| found == line), "{line}\n{metrics}");
    }
}

#[tokio::test]
async fn a_stuck_run_says_why_and_goes_on_when_the_system_is_back() {
    let (scene, run) = down().await;
    let stuck = scene.rows(&["flow", "list", "--stuck"]).await;
    let [tried, row] = &stuck[..] else { panic!("{stuck:?}") };
    assert_eq!(tried[5], "payments: nobody knows whether it landed at charge");
    assert_eq!(row[0], run);
    assert!(row[5].starts_with("payments: breaker open, tries again "), "{row:?}");
    let waiting = scene.rows(&["flow", "list", "--system", "payments"]).await;
    assert_eq!(waiting.iter().map(|row| &row[0]).collect::<Vec<_>>(), [&tried[0], &run]);
    assert_eq!(scene.cardan(&["flow", "list", "--system", "crm"]).await.done(), "nothing waits for it\n");
    let shown = scene.cardan(&["flow", "show", &run]).await;
    let hint = format!(
        "  to go on      by itself, or now with `cardan flow resume {run}`; see `cardan system show payments`\n"
    );
    assert!(shown.done().contains(&hint), "{}", shown.out);
    assert!(!shown.out.contains("0 ×"), "{}", shown.out);

    scene.behave("payments", &json!({ "reset": true })).await;
    assert_eq!(scene.cardan(&["system", "reset", "payments"]).await.done(), "payments: reset\n");
    scene.run_is(&run, "succeeded").await;
    let left = scene.rows(&["flow", "list", "--stuck"]).await;
    assert_eq!(left.iter().map(|row| &row[0]).collect::<Vec<_>>(), [&tried[0]]);
}

/// Mail is down: a run is done, its message is not delivered.
#[tokio::test]
async fn a_message_that_waits_is_listed_with_its_reason_and_goes_when_the_system_is_back() {
    let guard = "guard: { retry: { max_attempts: 1 }, breaker: { consecutive_failures: 1, open_for: 5m } }";
    let profile = "  email:\n    profile: emailGateway\n";
    let scene = Scene::with(|text| text.replace(profile, &format!("{profile}    {guard}\n"))).await;
    scene.fill().await;
    let empty = scene.cardan(&["outbox", "list"]).await;
    assert_eq!(empty.done(), "nothing waits to be delivered\n");
    scene.behave("email", &json!({ "operation": "send", "fail": { "status": 503 } })).await;
    let run = scene.ordered("order_1").await;
    scene.run_is(&run, "succeeded").await;
    let shown = scene.cardan(&["flow", "show", &run]).await;
    assert!(shown.done().contains("email.send           written down to be delivered\n"), "{}", shown.out);
    let row = scene.kept_message("email: breaker open, tries again ").await;
    assert_eq!(
        (row[0].as_str(), row[1].as_str(), row[3].as_str()),
        (&*format!("{run}/mail"), "email.send", "1")
    );
    let metrics = scene.page("/metrics").await;
    assert!(metrics.lines().any(|line| line == "cardan_outbox_messages 1"), "{metrics}");
    let other = scene.cardan(&["outbox", "list", "--system", "payments"]).await;
    assert_eq!(other.done(), "nothing waits to be delivered\n");

    scene.behave("email", &json!({ "reset": true })).await;
    assert_eq!(scene.cardan(&["system", "reset", "email"]).await.done(), "email: reset\n");
    assert_eq!(scene.mails().await.len(), 1);
}

#[tokio::test]
async fn a_full_page_says_how_to_go_on() {
    let scene = Scene::open().await;
    scene.fill().await;
    for order in ["order_1", "order_2"] {
        let run = scene.ordered(order).await;
        scene.run_is(&run, "succeeded").await;
    }
    let page = ["flow", "list", "--conversation", "conv_order_2", "--limit", "1"];
    let first = scene.cardan(&page).await;
    let more = first.done().lines().last().unwrap().strip_prefix("more: --after ").unwrap();
    let rest = scene.cardan(&[&page[..], &["--after", more]].concat()).await;
    assert_eq!(rest.done(), "no runs\n");
}

#[tokio::test]
async fn what_is_odd_in_a_configuration_is_in_the_log() {
    let secret = "secrets:\n  unused: { env: PATH }\n";
    let scene = Scene::with(|text| format!("{text}\n{secret}")).await;
    let lines = scene.log();
    let warned = lines.iter().find(|line| line["message"] == "configuration has a warning");
    let warned = warned.unwrap_or_else(|| panic!("{lines:?}"));
    assert_eq!((&warned["level"], &warned["help"]), (&json!("WARN"), &json!("take it out")));
}
