//! What holds for every kind of server.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use guard::shared::{Key, Rule};
use guard::{Algorithm, Fallback};
use port::Rejection;
use testkit::servers::Server;

use super::node::{Kind, Node, PATIENT, limit};

const CAPACITY: u32 = 30;
const PER_SECOND: f64 = 15.0;

/// Four nodes call as fast as they can. Together they pass no more than one node may.
pub(super) async fn four_nodes_keep_one_limit<K: Kind>(test: &str) {
    let Some(server) = K::Server::start(test) else { return };
    for algorithm in [Algorithm::TokenBucket, Algorithm::SlidingWindow] {
        let (passed, seconds) = storm::<K>(&server, algorithm, false).await;
        let most = most(algorithm, seconds);
        println!("{test}: {algorithm:?}: {passed} calls passed in {seconds:.3} s, at most {most}");
        assert!(passed >= u64::from(CAPACITY), "{algorithm:?}: only {passed} passed");
        assert!(passed <= most, "{algorithm:?}: {passed} passed in {seconds} s, more than {most}");
    }
}

/// The server forgets all counts half-way: they start full once more, and nothing else happens.
pub(super) async fn a_wiped_server_starts_full_once<K: Kind>(test: &str) {
    let Some(server) = K::Server::start(test) else { return };
    for algorithm in [Algorithm::TokenBucket, Algorithm::SlidingWindow] {
        let (passed, seconds) = storm::<K>(&server, algorithm, true).await;
        let most = u64::from(CAPACITY) + most(algorithm, seconds);
        println!("{test}: {algorithm:?}: {passed} calls passed in {seconds:.3} s, at most {most}");
        assert!(passed <= most, "{algorithm:?}: {passed} passed in {seconds} s, more than {most}");
    }
}

/// What may pass in so long, by the server's clock.
fn most(algorithm: Algorithm, seconds: f64) -> u64 {
    let capacity = f64::from(CAPACITY);
    let most = match algorithm {
        Algorithm::TokenBucket => (capacity + PER_SECOND * seconds).floor(),
        Algorithm::SlidingWindow => capacity * (seconds / (capacity / PER_SECOND)).ceil(),
    };
    most as u64
}

/// Four nodes, three callers each, for about three seconds of the server's clock: how many calls passed, in what time.
async fn storm<K: Kind>(server: &K::Server, algorithm: Algorithm, wiped: bool) -> (u64, f64) {
    let numbers = limit(CAPACITY, PER_SECOND, algorithm, Fallback::Closed);
    let node = || Node::new(K::ledger(&server.url()), numbers.clone(), PATIENT);
    let nodes: Vec<Arc<Node>> = (0..4).map(|_| node()).collect();
    let over = Arc::new(AtomicBool::new(false));
    let began = server.clock();
    let callers = nodes.iter().flat_map(|node| std::iter::repeat_n(node, 3));
    let callers: Vec<_> =
        callers.map(|node| tokio::spawn(keep_calling(Arc::clone(node), Arc::clone(&over)))).collect();
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    if wiped {
        server.wipe();
    }
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    over.store(true, Ordering::Relaxed);
    for caller in callers {
        caller.await.unwrap();
    }
    let seconds = (server.clock() - began).as_secs_f64();
    let fallbacks: usize = nodes.iter().map(|node| node.ear.count("closed")).sum();
    assert!(wiped || fallbacks == 0, "the server was there all the time");
    (nodes.iter().map(|node| node.passed.load(Ordering::Relaxed)).sum(), seconds)
}

async fn keep_calling(node: Arc<Node>, over: Arc<AtomicBool>) {
    while !over.load(Ordering::Relaxed) {
        if node.call().await.is_err() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// Callers that wait have a turn each, in order, and hold up nobody; who would wait too long is told when to come
/// back and has spent nothing.
pub(super) async fn b18_waiting_callers_get_a_turn_each<K: Kind>(test: &str) {
    let Some(server) = K::Server::start(test) else { return };
    // A hundred seconds per turn, so that no delay of this machine changes the count.
    for algorithm in [Algorithm::TokenBucket, Algorithm::SlidingWindow] {
        let ledgers = [K::ledger(&server.url()), K::ledger(&server.url())];
        let rule = Rule::new(&limit(1, 0.01, algorithm, Fallback::Closed));
        let (key, other) = (Key::new("crm"), Key::new(&format!("other {algorithm:?}")));
        let mut turns = Vec::new();
        for call in 0..6 {
            let turn = ledgers[call % 2].take(&key, &rule, Duration::from_secs(300)).await.unwrap();
            turns.push(turn.map(hundreds).map_err(|late| hundreds(late.retry_after)));
        }
        assert_eq!(turns, [Ok(0), Ok(1), Ok(2), Ok(3), Err(4), Err(4)], "{algorithm:?}");
        let turn = ledgers[0].take(&other, &rule, Duration::ZERO).await.unwrap();
        assert_eq!(turn, Ok(Duration::ZERO), "{algorithm:?}: another key waits for nobody");
    }
}

/// Hundreds of seconds, the one that has begun included.
fn hundreds(span: Duration) -> u64 {
    (span.as_secs_f64() / 100.0).ceil() as u64
}

/// The server stops: each limit does what it declares, and says so. The server is there again: all is as before.
pub(super) async fn a_lost_server_is_replaced_by_the_declared_fallback<K: Kind>(test: &str) {
    let Some(mut server) = K::Server::start(test) else { return };
    let share = Fallback::LocalShare { of: NonZeroU32::new(2).unwrap() };
    for (fallback, passing) in [(share, 10), (Fallback::Open, 25), (Fallback::Closed, 0)] {
        let numbers = limit(20, 0.001, Algorithm::TokenBucket, fallback);
        let node = Node::new(K::ledger(&server.url()), numbers, PATIENT);
        server.wipe();
        for _ in 0..10 {
            node.call().await.unwrap();
        }
        server.stop();
        let mut passed = 0;
        for _ in 0..25 {
            match node.call().await {
                Ok(()) => passed += 1,
                Err(fault) => {
                    assert_eq!(fault.rejection, Some(Rejection::RateLimited));
                    assert!(fault.retry_after.is_some(), "a refusal says when to come back");
                }
            }
        }
        assert_eq!(passed, passing, "{fallback:?}");
        assert_eq!(node.ear.count("main is away"), 1, "{fallback:?}");
        assert_eq!(node.ear.count(fallback.as_str()), 25, "{fallback:?}: each call that it decided says so");
        server.start_again();
        is_back(&node).await;
    }
}

/// A server that hangs is away, too; its callers wait no longer than they are told to.
pub(super) async fn a_hanging_server_is_away<K: Kind>(test: &str) {
    let Some(server) = K::Server::start(test) else { return };
    let numbers = limit(1_000, 1_000.0, Algorithm::TokenBucket, Fallback::Open);
    let node = Node::new(K::ledger(&server.url()), numbers, Duration::from_millis(50));
    // The first connection may take longer than a call waits.
    is_quiet(&node).await;
    server.pause();
    while node.ear.count("main is away") <= node.ear.count("main is back") {
        node.call().await.unwrap();
    }
    server.resume();
    is_back(&node).await;
}

/// Calls until the store has answered as often as it went away.
async fn is_back(node: &Node) {
    until(node, || node.ear.count("main is back") == node.ear.count("main is away")).await;
    is_quiet(node).await;
}

/// Calls until no fallback was needed.
async fn is_quiet(node: &Node) {
    let fallbacks = || ["local_share", "open", "closed"].map(|word| node.ear.count(word));
    let mut seen = fallbacks();
    // A refusal by the store is an answer, too; the first look is always too early.
    let mut first = true;
    until(node, || {
        let before = std::mem::replace(&mut seen, fallbacks());
        !std::mem::take(&mut first) && before == seen
    })
    .await;
}

async fn until(node: &Node, mut done: impl FnMut() -> bool) {
    for _ in 0..600 {
        let _refused = node.call().await;
        if done() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the store is there and nobody noticed: {:?}", node.ear.heard());
}
