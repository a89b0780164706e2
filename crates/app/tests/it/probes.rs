//! Systems that are asked by themselves whether they are well.

use std::time::Duration;

use serde_json::{Value, json};

use crate::scene::Scene;

/// What the page says of a system, when it says what is waited for.
async fn seen(scene: &Scene, system: &str, status: &str) -> Value {
    let patience = Duration::from_secs(60);
    let waited = tokio::time::timeout(patience, async {
        loop {
            let page: Value = serde_json::from_str(&scene.page("/health/adapters").await).unwrap();
            let check = page["checks"][system].clone();
            if check["status"] == status {
                return check;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    waited.await.unwrap()
}

#[tokio::test]
async fn a_probe_finds_out_what_nobody_called() {
    let url = "/payments\n";
    let probe = format!("{url}      probe: {{ path: /health, every: 1s }}\n");
    let mut scene = Scene::with(|text| text.replace(url, &probe)).await;
    let well = seen(&scene, "payments", "pass").await;
    assert!(well["latency"].is_number(), "{well}");
    let uncalled = seen(&scene, "crm", "warn").await;
    assert_eq!(uncalled["message"], "not called yet", "only what declares a probe is asked");

    scene.behave("payments", &json!({ "operation": "health", "fail": { "status": 503 } })).await;
    let ill = seen(&scene, "payments", "fail").await;
    assert_eq!(ill["message"], "unavailable");
    assert!(scene.serves().await, "a system that is down leaves this one ready");
    let metrics = scene.page("/metrics").await;
    assert!(metrics.contains("integration_health{integration=\"payments\"} 0\n"), "{metrics}");
    let failed = scene.log().into_iter().filter(|line| line["message"] == "probe failed").count();
    assert_eq!(failed, 1, "said once, however often it is asked");

    scene.behave("payments", &json!({ "reset": true })).await;
    seen(&scene, "payments", "pass").await;
}
