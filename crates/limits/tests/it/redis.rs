//! The stories, with Redis.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use guard::shared::{Away, Key, Ledger, Rule};
use guard::{Algorithm, Fallback};
use limits::redis;
use testkit::fault_proxy::FaultProxy;
use testkit::servers::Server as _;
use tokio::net::TcpListener;

use super::node::{Kind, limit};
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

fn rule() -> Rule {
    Rule::new(&limit(1_000_000, 1.0, Algorithm::TokenBucket, Fallback::Closed))
}

/// Many calls wait while one connects. When that fails it has failed for all of them.
#[tokio::test]
async fn redis_a_crowd_that_finds_nobody_tries_once() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("redis://{}", listener.local_addr().unwrap());
    let tries = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&tries);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::Relaxed);
            drop(stream);
        }
    });
    let (counts, key, rule) = (redis::Redis::new(&url).unwrap(), Key::new("crm"), rule());
    let answers = join_all((0..100).map(|_| counts.take(&key, &rule, Duration::ZERO))).await;
    let why = |answer: &Result<_, Away>| {
        answer.as_ref().unwrap_err().0.starts_with("connecting to Redis without TLS: ")
    };
    assert!(answers.iter().all(why), "{answers:?}");
    assert_eq!(tries.load(Ordering::Relaxed), 1);
}

/// All calls on a connection notice that it is broken. The first connects anew, and the others leave that alone.
#[tokio::test]
async fn redis_a_crowd_whose_connection_breaks_makes_one_other() {
    let Some(server) = testkit::servers::Redis::start("redis_breaks") else { return };
    let address = server.url().trim_start_matches("redis://").trim_end_matches("/0").parse().unwrap();
    let proxy = FaultProxy::start(address).await.unwrap();
    let counts = redis::Redis::new(&format!("redis://{}", proxy.addr())).unwrap();
    let (key, rule) = (Key::new("crm"), rule());
    assert_eq!(counts.take(&key, &rule, Duration::ZERO).await, Ok(Ok(Duration::ZERO)));
    server.hang_up();
    let answers = join_all((0..100).map(|_| counts.take(&key, &rule, Duration::ZERO))).await;
    assert!(answers.iter().all(|answer| *answer == Ok(Ok(Duration::ZERO))), "{answers:?}");
    assert_eq!(proxy.counts().connections, 2);
}
