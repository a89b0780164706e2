//! The stories, with Postgres.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use guard::shared::{Key, Ledger, Rule};
use guard::{Algorithm, Fallback};
use limits::postgres;
use testkit::fault_proxy::{Behaviour, FaultProxy};

use super::node::{Kind, PATIENT, limit};
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

/// A failover may leave us connected to a server that is not the primary any longer. It answers, and it refuses.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_a_connection_that_became_read_only_is_not_used_again() {
    use testkit::servers::Server as _;
    let Some(server) = testkit::servers::Postgres::start("postgres_became_read_only") else { return };
    let counts = postgres::Postgres::new(&server.url()).unwrap();
    let rule = Rule::new(&limit(1_000_000, 1.0, Algorithm::TokenBucket, Fallback::Closed));
    let ask = async || counts.take(&Key::new("crm"), &rule, Duration::ZERO).await;
    assert_eq!(ask().await, Ok(Ok(Duration::ZERO)));
    // From now on only sessions that are there already are read-only.
    server.sql("ALTER ROLE cardan SET default_transaction_read_only = off", "cardan");
    server.sql("ALTER SYSTEM SET default_transaction_read_only = on", "cardan");
    server.sql("SELECT pg_reload_conf()", "cardan");
    let refused = loop {
        if let Err(away) = ask().await {
            break away;
        }
    };
    assert!(refused.0.contains("read-only transaction"), "{refused}");
    assert_eq!(ask().await, Ok(Ok(Duration::ZERO)), "another connection leads to the primary");
}

/// What was sent when the network went silent is never answered, also after it is back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_connections_that_nobody_answers_do_not_use_up_the_pool() {
    use testkit::servers::Server as _;
    let Some(server) = testkit::servers::Postgres::start("postgres_silent_network") else { return };
    let (place, database) = server.url().rsplit_once('/').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let address = place.rsplit_once('@').unwrap().1.parse().unwrap();
    let proxy = FaultProxy::start(address).await.unwrap();
    let url = format!("postgres://cardan@{}/{database}", proxy.addr());
    let counts = postgres::Postgres::new(&url).unwrap();
    let rule = Rule::new(&limit(1_000_000, 1.0, Algorithm::TokenBucket, Fallback::Closed));
    let ask = async || counts.take(&Key::new("crm"), &rule, Duration::ZERO).await;
    while proxy.counts().open < 4 {
        for answer in join_all((0..8).map(|_| ask())).await {
            assert_eq!(answer, Ok(Ok(Duration::ZERO)));
        }
    }
    proxy.set(Behaviour::BlackHole);
    join_all((0..8).map(|_| tokio::time::timeout(Duration::from_millis(300), ask()))).await;
    proxy.set(Behaviour::Pass);
    let there = async { while ask().await.is_err() {} };
    assert!(tokio::time::timeout(PATIENT, there).await.is_ok(), "four connections wait for ever");
}
