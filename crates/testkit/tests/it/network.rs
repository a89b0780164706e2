//! F7: an upstream whose network fails, through the rest adapter and a guard, behind the fault proxy.
//!
//! What is asserted is what came of a call: its kind, whether it landed, how often it left the house. How long it took
//! is printed.

use std::time::Duration;

use guard::{Bulkhead, Jitter, Policy, Retry};
use port::{Kind, Landed};
use testkit::fault_proxy::{Behaviour, FaultProxy};

use crate::remote::Remote;
use crate::rested::{MOST, Rested};

/// What a call may take in all.
const DEADLINE: Duration = Duration::from_millis(400);
/// A call that takes longer hangs. Far above the deadline: this is a test, not a measurement.
const HUNG: Duration = Duration::from_secs(30);
const DRIP: Duration = Duration::from_millis(100);

/// How the proxy behaves, what comes of it, and how many attempts `post` (never repeated) and `read` (safe) make.
struct Case {
    behaviour: Behaviour,
    kind: Kind,
    landed: &'static [Landed],
    posts: u64,
    reads: u64,
}

const fn case(behaviour: Behaviour, kind: Kind, landed: &'static [Landed], posts: u64, reads: u64) -> Case {
    Case { behaviour, kind, landed, posts, reads }
}

/// A timeout leaves no time for a second attempt.
const CASES: [Case; 10] = [
    case(Behaviour::Refuse, Kind::Connect, &[Landed::No], 3, 3),
    case(Behaviour::Reset, Kind::Unavailable, &[Landed::Unknown], 1, 3),
    case(Behaviour::BlackHole, Kind::Timeout, &[Landed::Unknown], 1, 1),
    case(Behaviour::Delay(HUNG), Kind::Timeout, &[Landed::Unknown], 1, 1),
    case(Behaviour::DripHead(DRIP), Kind::Timeout, &[Landed::Unknown], 1, 1),
    // The adapter knows that the head said success; the guard's own timer, should it fire first, does not.
    case(Behaviour::DripBody(DRIP), Kind::Timeout, &[Landed::Yes, Landed::Unknown], 1, 1),
    case(Behaviour::EndlessBody, Kind::Protocol, &[Landed::Yes], 1, 1),
    case(Behaviour::HalfClose, Kind::Unavailable, &[Landed::Unknown], 1, 3),
    case(Behaviour::CutAfter(20), Kind::Unavailable, &[Landed::Unknown], 1, 3),
    case(Behaviour::CutAfter(HEAD + 4), Kind::Unavailable, &[Landed::Yes], 1, 3),
];

/// The head of [`Remote::well`]'s answer.
const HEAD: u64 =
    "HTTP/1.1 200 Said\r\ncontent-length: 12\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n"
        .len() as u64;

/// Three attempts, no breaker: each case is about its own calls.
fn three_attempts() -> Policy {
    let retry = Retry { initial: Duration::from_millis(10), jitter: Jitter::None, ..Retry::default() };
    Policy { retry, breaker: None, ..Policy::default() }
}

#[tokio::test]
async fn f7_a_failing_network_is_told_apart_bounded_and_never_repeated_blindly() {
    println!("F7, deadline {DEADLINE:?}; post and read: attempts, time; bytes answered");
    for case in CASES {
        let remote = Remote::well().await;
        let proxy = FaultProxy::start(remote.addr).await.unwrap();
        proxy.set(case.behaviour);
        settled(&proxy, case.behaviour).await;
        let (posts, post) = check(&proxy, "post", &case, case.posts).await;
        let (reads, read) = check(&proxy, "read", &case, case.reads).await;
        let answered = proxy.counts().answered;
        let behaviour = format!("{:?}", case.behaviour);
        println!("  {behaviour:<18} {posts:>6} {post:>12.1?} {reads:>14} {read:>12.1?} {answered:>14}");
        assert!(
            answered < 32 << 20,
            "{:?}: {answered} bytes were taken from an endless answer",
            case.behaviour
        );
    }
}

/// A port that is to be refused may take one more connection.
async fn settled(proxy: &FaultProxy, behaviour: Behaviour) {
    let refused = async {
        while behaviour == Behaviour::Refuse && tokio::net::TcpStream::connect(proxy.addr()).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    assert!(tokio::time::timeout(HUNG, refused).await.is_ok(), "{} is never refused", proxy.addr());
}

async fn check(proxy: &FaultProxy, operation: &str, case: &Case, attempts: u64) -> (u64, Duration) {
    let system = Rested::at(proxy.addr(), three_attempts());
    let started = tokio::time::Instant::now();
    let ended = tokio::time::timeout(HUNG, system.call(operation, DEADLINE)).await;
    let (took, behaviour) = (started.elapsed(), case.behaviour);
    let fault = ended.unwrap_or_else(|_| panic!("{behaviour:?}: {operation} hangs")).unwrap_err();
    assert_eq!(fault.kind, case.kind, "{behaviour:?}: {operation}: {fault}");
    assert!(case.landed.contains(&fault.landed), "{behaviour:?}: {operation}: {fault:?}");
    assert_eq!(system.ear.attempts(), attempts, "{behaviour:?}: {operation}: {fault}");
    if behaviour == Behaviour::EndlessBody {
        assert!(fault.context.contains(&("max_response", MOST.to_string())), "{fault:?}");
    }
    (system.ear.attempts(), took)
}

#[tokio::test]
async fn f7_a_slow_network_is_no_failure_while_there_is_time() {
    let remote = Remote::well().await;
    let proxy = FaultProxy::start(remote.addr).await.unwrap();
    proxy.set(Behaviour::Delay(Duration::from_millis(20)));
    let system = Rested::at(proxy.addr(), three_attempts());
    system.call("post", HUNG).await.unwrap();
    assert_eq!((system.ear.attempts(), remote.requests()), (1, 1));
}

/// One connection in a hundred is reset.
#[tokio::test]
async fn f7_one_percent_of_loss_is_not_seen_by_the_caller() {
    const CALLS: u64 = 200;
    let remote = Remote::well().await;
    let proxy = FaultProxy::start(remote.addr).await.unwrap();
    let retry = Retry { initial: Duration::from_millis(100), jitter: Jitter::None, ..Retry::default() };
    let system = Rested::at(proxy.addr(), Policy { retry, ..Policy::default() });
    for call in 0..CALLS {
        let lost = call % 100 == 50;
        proxy.set(if lost { Behaviour::Reset } else { Behaviour::Pass });
        tokio::select! {
            answer = system.call("read", HUNG) => drop(answer.unwrap()),
            () = mend(&proxy), if lost => panic!("mending ends with the test"),
        }
    }
    println!(
        "F7, 1 % loss: {} attempts for {CALLS} calls, {} landed",
        system.ear.attempts(),
        remote.requests()
    );
    assert_eq!((system.ear.attempts(), remote.requests()), (CALLS + 2, CALLS));
}

/// Lets everything pass again once a connection was reset.
async fn mend(proxy: &FaultProxy) {
    let seen = proxy.counts().connections;
    while proxy.counts().connections == seen || proxy.counts().open > 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    proxy.set(Behaviour::Pass);
    std::future::pending().await
}

/// 500 callers before an endless body: the bulkhead lets 64 of them in at once. What they hold: [`crate::memory`].
#[tokio::test]
async fn f7_five_hundred_endless_bodies_stay_behind_the_bulkhead() {
    let remote = Remote::well().await;
    let proxy = FaultProxy::start(remote.addr).await.unwrap();
    proxy.set(Behaviour::EndlessBody);
    let bulkhead = Bulkhead { max_in_flight: 64, queue: 500, max_wait: HUNG, ..Bulkhead::default() };
    let system = Rested::at(proxy.addr(), Policy { bulkhead: Some(bulkhead), ..three_attempts() });
    let mut most = 0;
    let calls = futures_util::future::join_all((0..500).map(|_| system.call("post", HUNG * 4)));
    let look = async {
        loop {
            most = system.guarded.status().lanes[0].in_flight.max(most);
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let faults = tokio::select! {
        faults = calls => faults,
        () = look => unreachable!("looking does not end"),
    };
    let kinds: Vec<_> = faults.into_iter().map(|fault| fault.unwrap_err().kind).collect();
    assert!(kinds.iter().all(|kind| *kind == Kind::Protocol), "{kinds:?}");
    assert!(most <= 64, "{most} calls were out at once");
    let status = system.guarded.status();
    assert_eq!((status.lanes[0].in_flight, status.lanes[0].queued), (0, 0));
    println!("F7, 500 endless bodies: {most} out at once at most");
}
