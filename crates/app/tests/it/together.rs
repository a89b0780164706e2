//! Two servers count one limit in one store; without the store each does what its limit declares, and says so.

use serde_json::json;
use testkit::servers::{Postgres, Redis, Server};

use crate::nodes::Nodes;

/// Two systems with one limit each, so that the second has not been counted before the store goes away. A minute gives
/// back less than one call.
const CONFIG: &str = "
limit_stores:
  common: { KIND: { url: 'STORE' }, patience: 5s }
systems:
  crm:
    guard:
      limit: { capacity: 10, refill_per_second: 0.001, shared: { store: common, fallback: closed } }
    rest: { url: 'SYSTEMS/crm', operations: { update: { put: '/contacts/{id}', repeat: keyed } } }
  email:
    guard:
      limit: { capacity: 10, refill_per_second: 0.001, shared: { store: common, fallback: { local_share: { of: 2 } } } }
    rest: { url: 'SYSTEMS/email', operations: { send: { post: /messages, repeat: keyed } } }
flows:
  touch:
    on: { commit: { system: contacts } }
    do: [ { touch: { call: crm.update, with: { id: '${ entity.id }', name: '${ entity.name }' } } } ]
  write:
    on: { commit: { system: letters } }
    do: [ { write: { call: email.send, with: { to: '${ entity.name }', template: hello } } } ]
";

#[tokio::test]
async fn two_servers_keep_one_limit_in_redis_and_its_fallback_applies_without_it() {
    keep_one_limit::<Redis>("two_servers_keep_one_limit_in_redis", "redis").await;
}

#[tokio::test]
async fn two_servers_keep_one_limit_in_postgres_and_its_fallback_applies_without_it() {
    keep_one_limit::<Postgres>("two_servers_keep_one_limit_in_postgres", "postgres").await;
}

async fn keep_one_limit<S: Server>(test: &str, kind: &str) {
    let Some(mut store) = S::start(test) else { return };
    let mut town = Nodes::none().await;
    for _ in 0..2 {
        town.serve(&CONFIG.replace("KIND", kind).replace("STORE", &store.url())).await;
    }
    commits(&town, "contacts").await;
    let mut passed = 0;
    for node in &town.nodes {
        let runs = node.runs(8).await;
        passed += runs.iter().filter(|run| run["status"] == "succeeded").count();
        let kept: Vec<_> = runs.iter().filter(|run| run["status"] != "succeeded").collect();
        assert!(kept.iter().all(|run| run["blocked_on"]["reason"] == "rate_limited"), "{kept:#?}");
        let shown = node.get("/v1/systems/crm").await;
        assert_eq!(shown["status"]["lanes"][0]["limit_store"], "common");
        assert_eq!(
            node.metrics("cardan_limit_store_up").await,
            ["cardan_limit_store_up{store=\"common\"} 1"]
        );
    }
    assert_eq!((passed, town.ledger("crm").await.len()), (10, 10), "of sixteen calls");

    store.stop();
    commits(&town, "letters").await;
    for node in &town.nodes {
        let runs = node.runs(16).await;
        let written = |run: &&serde_json::Value| run["flow"] == "write" && run["status"] == "succeeded";
        assert_eq!(runs.iter().filter(written).count(), 5, "each keeps to its half: {runs:#?}");
        assert_eq!(
            node.metrics("cardan_limit_store_up").await,
            ["cardan_limit_store_up{store=\"common\"} 0"]
        );
        let decided = node.metrics("cardan_limit_fallbacks_total").await;
        let [decided] = &decided[..] else { panic!("{decided:?}") };
        let label =
            "cardan_limit_fallbacks_total{store=\"common\",adapter_id=\"email\",fallback=\"local_share\"} ";
        assert!(decided.starts_with(label), "{decided}");
        let log = node.log();
        let told: Vec<&str> = log.lines().filter(|line| line.contains("is away, fallbacks apply")).collect();
        assert_eq!(told.len(), 1, "{log}");
    }
    assert_eq!(town.ledger("email").await.len(), 10);
}

/// Eight commits at each server.
async fn commits(town: &Nodes, system: &str) {
    for number in 0..8 {
        for (at, node) in town.nodes.iter().enumerate() {
            let entity = format!("{system}_{at}_{number}");
            node.commit(system, &entity, &json!({ "name": "ada@example.com" })).await;
        }
    }
}
