//! The stories, with Redis.

use std::sync::Arc;

use guard::shared::{Ledger, redis};

use super::node::Kind;
use super::stories;

struct Redis;

impl Kind for Redis {
    type Server = testkit::servers::Redis;

    fn ledger(url: &str) -> Arc<dyn Ledger> {
        Arc::new(redis::Redis::new(url).unwrap())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_four_nodes_keep_one_limit() {
    stories::four_nodes_keep_one_limit::<Redis>("redis_four_nodes_keep_one_limit").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_a_wiped_server_starts_full_once() {
    stories::a_wiped_server_starts_full_once::<Redis>("redis_a_wiped_server_starts_full_once").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b18_shared_redis_waiting_callers_get_a_turn_each() {
    stories::b18_waiting_callers_get_a_turn_each::<Redis>("b18_shared_redis_waiting_callers_get_a_turn_each")
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_a_lost_server_is_replaced_by_the_declared_fallback() {
    stories::a_lost_server_is_replaced_by_the_declared_fallback::<Redis>("redis_lost_server").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_a_hanging_server_is_away() {
    stories::a_hanging_server_is_away::<Redis>("redis_hanging_server").await;
}
