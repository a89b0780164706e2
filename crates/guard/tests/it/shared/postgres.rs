//! The stories, with Postgres.

use std::sync::Arc;
use std::time::Duration;

use guard::shared::{Key, Ledger, Rule, postgres};
use guard::{Algorithm, Fallback};

use super::node::{Kind, limit};
use super::stories;

struct Postgres;

impl Kind for Postgres {
    type Server = testkit::servers::Postgres;

    fn ledger(url: &str) -> Arc<dyn Ledger> {
        Arc::new(postgres::Postgres::new(url).unwrap())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_four_nodes_keep_one_limit() {
    stories::four_nodes_keep_one_limit::<Postgres>("postgres_four_nodes_keep_one_limit").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_a_wiped_server_starts_full_once() {
    stories::a_wiped_server_starts_full_once::<Postgres>("postgres_a_wiped_server_starts_full_once").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b18_shared_postgres_waiting_callers_get_a_turn_each() {
    stories::b18_waiting_callers_get_a_turn_each::<Postgres>(
        "b18_shared_postgres_waiting_callers_get_a_turn_each",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_a_lost_server_is_replaced_by_the_declared_fallback() {
    stories::a_lost_server_is_replaced_by_the_declared_fallback::<Postgres>("postgres_lost_server").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_a_hanging_server_is_away() {
    stories::a_hanging_server_is_away::<Postgres>("postgres_hanging_server").await;
}

/// Whoever sweeps need not know whether anybody has counted yet: without a table there is nothing to sweep.
#[tokio::test]
async fn postgres_has_nothing_to_forget_before_the_first_call() {
    let nowhere = postgres::Postgres::new("postgres://cardan@127.0.0.1:1/cardan").unwrap();
    assert_eq!(nowhere.forget_expired().await, Ok(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_does_not_forget_what_is_still_needed() {
    use testkit::servers::Server as _;
    let Some(server) = testkit::servers::Postgres::start("postgres_forgets_rows") else { return };
    let counts = postgres::Postgres::new(&server.url()).unwrap();
    let rule = Rule::new(&limit(1, 1.0, Algorithm::TokenBucket, Fallback::Closed));
    let took = counts.take(&Key::new("crm"), &rule, Duration::ZERO).await.unwrap();
    assert_eq!((took, counts.forget_expired().await), (Ok(Duration::ZERO), Ok(0)), "kept for an hour");
}
