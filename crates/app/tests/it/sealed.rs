//! Limits counted over TLS: a store whose certificate does not fit is away, says why, and its fallback applies.

use serde_json::{Value, json};
use testkit::servers::{Authority, Postgres, Redis, Server as _};

use crate::nodes::{Node, Nodes};

/// One store that is as it should be, and others that are not; a system for each, with a limit of two calls.
fn config(stores: &[(&str, String, &str)]) -> String {
    let mut config = "limit_stores:\n".to_owned();
    for (name, url, _) in stores {
        let (scheme, _) = url.split_once("://").unwrap();
        let kind = if scheme.starts_with("redis") { "redis" } else { "postgres" };
        config += &format!("  {name}: {{ {kind}: {{ url: '{url}' }}, patience: 20s }}\n");
    }
    config += "systems:\n";
    for (name, _, fallback) in stores {
        let limit = format!(
            "{{ capacity: 2, refill_per_second: 0.001, shared: {{ store: {name}, fallback: {fallback} }} }}"
        );
        config += &format!("  {name}:\n    guard: {{ limit: {limit} }}\n");
        config += "    rest: { url: 'SYSTEMS/crm', operations: { update: { put: '/contacts/{id}', repeat: keyed } } }\n";
    }
    config += "flows:\n";
    for (name, ..) in stores {
        let with = "{ id: '${ entity.id }', name: '${ entity.name }' }";
        config += &format!(
            "  {name}: {{ on: {{ commit: {{ system: {name} }} }}, do: [ {{ go: {{ call: {name}.update, with: {with} }} }} ] }}\n"
        );
    }
    config
}

/// Four calls of each system; how many passed, by system.
async fn passed(node: &Node, stores: &[(&str, String, &str)]) -> Vec<usize> {
    for (name, ..) in stores {
        for call in 0..4 {
            node.commit(name, &format!("{name}_{call}"), &json!({ "name": "Ada" })).await;
        }
    }
    let runs = node.runs(4 * stores.len()).await;
    let well = |name: &str| {
        let own = runs.iter().filter(|run| run["flow"] == *name);
        own.filter(|run| run["status"] == "succeeded").count()
    };
    let kept: Vec<&Value> = runs.iter().filter(|run| run["status"] != "succeeded").collect();
    assert!(kept.iter().all(|run| run["blocked_on"]["reason"] == "rate_limited"), "{kept:#?}");
    stores.iter().map(|(name, ..)| well(name)).collect()
}

/// These stores are away, and no others; the log says so once, and why in these words.
fn is_away(node: &Node, expected: &[(&str, &str, &str)]) {
    let text = node.log();
    let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let away = lines.filter(|line| line["message"] == "store of shared limits is away, fallbacks apply");
    let word = |value: &Value| value.as_str().unwrap().to_owned();
    let mut away: Vec<_> = away.map(|line| (word(&line["store"]), word(&line["away"]))).collect();
    away.sort();
    let names = |away: Vec<&str>| away.join(" ");
    assert_eq!(
        names(away.iter().map(|(store, _)| &**store).collect()),
        names(expected.iter().map(|(store, ..)| *store).collect())
    );
    for ((store, why), (_, doing, fault)) in away.iter().zip(expected) {
        assert!(why.starts_with(doing) && why.contains(fault), "{store}: {why}");
    }
}

#[tokio::test]
async fn a_redis_over_tls_is_trusted_by_its_certificate_and_otherwise_away() {
    let test = "a_redis_over_tls";
    let Some(authority) = Authority::new(test, "an authority") else { return };
    let Some(stranger) = Authority::new(test, "a stranger") else { return };
    let Some(server) = Redis::sealed(test, &authority) else { return };
    let Some(other) = Redis::sealed(test, &stranger) else { return };
    let stores = [
        ("fits", server.sealed_url("localhost"), "closed"),
        ("misnamed", server.sealed_url("127.0.0.1"), "open"),
        ("plain", server.url().replace("redis:", "rediss:"), "closed"),
        ("stranger", other.sealed_url("localhost"), "{ local_share: { of: 2 } }"),
        ("unsealed", server.sealed_url("localhost").replace("rediss:", "redis:"), "closed"),
    ];
    let mut town = Nodes::none().await;
    let trusted = authority.certificate();
    town.serve_in(&[("SSL_CERT_FILE", trusted.to_str().unwrap())], &config(&stores)).await;
    let node = &town.nodes[0];
    assert_eq!(passed(node, &stores).await, [2, 4, 0, 1, 0]);
    is_away(
        node,
        &[
            ("misnamed", "connecting to Redis over TLS: ", r#"certificate not valid for name "127.0.0.1""#),
            ("plain", "connecting to Redis over TLS: ", "timed out"),
            ("stranger", "connecting to Redis over TLS: ", "invalid peer certificate: UnknownIssuer"),
            ("unsealed", "connecting to Redis without TLS: ", ""),
        ],
    );
}

#[tokio::test]
async fn a_postgres_over_tls_is_trusted_by_its_certificate_and_otherwise_away() {
    let test = "a_postgres_over_tls";
    let Some(authority) = Authority::new(test, "an authority") else { return };
    let Some(stranger) = Authority::new(test, "a stranger") else { return };
    let Some(server) = Postgres::sealed(test, &authority) else { return };
    let Some(plain) = Postgres::start(test) else { return };
    let full = "verify-full";
    let stores = [
        ("fits", server.sealed_url("localhost", full, &authority), "closed"),
        ("misnamed", server.sealed_url("127.0.0.1", full, &authority), "open"),
        ("plain", plain.sealed_url("localhost", full, &authority), "closed"),
        ("stranger", server.sealed_url("localhost", full, &stranger), "{ local_share: { of: 2 } }"),
    ];
    let mut town = Nodes::none().await;
    town.serve(&config(&stores)).await;
    let node = &town.nodes[0];
    assert_eq!(passed(node, &stores).await, [2, 4, 0, 1]);
    is_away(
        node,
        &[
            ("misnamed", "asking PostgreSQL: ", r#"certificate not valid for name "127.0.0.1""#),
            ("plain", "asking PostgreSQL: ", "server does not support TLS"),
            ("stranger", "asking PostgreSQL: ", "invalid peer certificate: UnknownIssuer"),
        ],
    );
}
