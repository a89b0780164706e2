//! The stories, with Postgres.

use std::sync::Arc;

use guard::shared::{Ledger, postgres};

use super::node::Kind;
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
