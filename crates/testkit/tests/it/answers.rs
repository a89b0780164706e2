//! F8: what a guard makes of each answer: how often it asks, how long it waits, what it hands to the caller.
//!
//! A 410 to a call says that the thing is gone: `not_found`, not asked again, and the breaker makes nothing of it. That a
//! 410 disables its receiver for good is said of outgoing webhooks, and is the webhook sender's to do: a call's address
//! is the configuration's, and no answer may change that.

use std::num::NonZeroU32;
use std::time::Duration;

use guard::{Breaker, Jitter, Policy, Retry, State};
use port::Kind;

use crate::remote::Remote;
use crate::rested::Rested;

const JSON: &str = "content-type: application/json\r\n";
const LIMIT: Duration = Duration::from_secs(60);

/// What a guard is to do with an answer.
#[derive(Clone, Copy, Debug)]
enum Then {
    /// It says no more than no.
    Stop,
    /// Asks again after the computed wait, in milliseconds.
    After(u64),
    /// Asks again after as many seconds as it was told to wait.
    Told(u64),
    /// Too long to wait here: the caller is told how many seconds.
    Hand(u64),
}

use Then::{After, Hand, Stop, Told};

/// Status, headers, operation, the fault's kind, what is done.
type Row = (u16, &'static str, &'static str, Kind, Then);

const ROWS: [Row; 32] = [
    (400, JSON, "read", Kind::Invalid, Stop),
    (401, JSON, "read", Kind::Unauthorised, Stop),
    (403, JSON, "read", Kind::Refused, Stop),
    (404, JSON, "read", Kind::NotFound, Stop),
    (408, JSON, "read", Kind::Timeout, After(20)),
    (408, JSON, "post", Kind::Timeout, Stop),
    (409, JSON, "charge", Kind::Conflict, Stop),
    (410, JSON, "read", Kind::NotFound, Stop),
    (422, JSON, "read", Kind::Invalid, Stop),
    (425, JSON, "post", Kind::Throttled, After(40)),
    (429, JSON, "post", Kind::Throttled, After(40)),
    (429, "retry-after: 1\r\n", "post", Kind::Throttled, Told(1)),
    (429, "retry-after: 0\r\n", "post", Kind::Throttled, After(40)),
    (429, "retry-after: 3600\r\n", "read", Kind::Throttled, Hand(3600)),
    (429, "retry-after: soon\r\n", "read", Kind::Throttled, After(40)),
    (500, JSON, "read", Kind::Unavailable, After(20)),
    (500, JSON, "charge", Kind::Unavailable, After(20)),
    (500, JSON, "post", Kind::Unavailable, Stop),
    (501, JSON, "post", Kind::Unavailable, After(20)),
    (502, JSON, "read", Kind::Unavailable, After(20)),
    (502, JSON, "post", Kind::Unavailable, Stop),
    (503, JSON, "read", Kind::Unavailable, After(20)),
    (503, JSON, "post", Kind::Unavailable, Stop),
    (503, "retry-after: 1\r\n", "post", Kind::Throttled, Told(1)),
    (503, "retry-after: 86400\r\n", "post", Kind::Throttled, Hand(86400)),
    (504, JSON, "charge", Kind::Unavailable, After(20)),
    (504, JSON, "post", Kind::Unavailable, Stop),
    (200, JSON, "read", Kind::Protocol, Stop),
    (200, "content-type: text/html\r\n", "read", Kind::Protocol, Stop),
    (200, "content-type: application/json\r\ncontent-encoding: gzip\r\n", "read", Kind::Protocol, Stop),
    (301, "location: http://127.0.0.1:1/\r\n", "read", Kind::Protocol, Stop),
    (307, "location: http://127.0.0.1:1/\r\n", "charge", Kind::Protocol, Stop),
];

/// Two attempts; a wait of up to 5 s is waited for here.
fn two_attempts() -> Policy {
    let retry = Retry {
        max_attempts: NonZeroU32::MIN.saturating_add(1),
        initial: Duration::from_millis(20),
        initial_throttled: Duration::from_millis(40),
        max_retry_after: Duration::from_secs(5),
        jitter: Jitter::None,
        ..Retry::default()
    };
    Policy { retry, breaker: None, ..Policy::default() }
}

#[tokio::test]
async fn f8_every_answer_is_scheduled_as_the_table_says() {
    let wrong: Vec<_> = futures_util::future::join_all(ROWS.map(|row| check(row, row.1))).await;
    let wrong: Vec<_> = wrong.into_iter().filter_map(Result::err).collect();
    println!("F8, answers: {} of {} rows as the table says", ROWS.len() - wrong.len(), ROWS.len());
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// `Retry-After` has two forms (RFC 9110, 10.2.3): seconds are in [`ROWS`], the date is here.
#[tokio::test]
async fn f8_a_date_to_come_back_at_is_waited_for() {
    let date = |seconds: i64| {
        let at = Rested::now() + jiff::SignedDuration::from_secs(seconds);
        format!("retry-after: {}\r\n", at.strftime("%a, %d %b %Y %H:%M:%S GMT"))
    };
    for (seconds, then) in [(2, Told(2)), (3600, Hand(3600)), (-60, After(40))] {
        for status in [429, 503] {
            let row = (status, "", "post", Kind::Throttled, then);
            check(row, &date(seconds)).await.unwrap();
        }
    }
}

/// A thing that is gone is not a system that is down, however often it is asked for.
#[tokio::test]
async fn f8_a_thing_that_is_gone_is_asked_for_once_and_says_nothing_about_the_system() {
    let remote = Remote::answering(410, JSON, b"").await;
    let breaker = Breaker { consecutive_failures: Some(NonZeroU32::MIN), ..Breaker::default() };
    let system = Rested::at(remote.addr, Policy { breaker: Some(breaker), ..two_attempts() });
    for asked in 1..=30 {
        let fault = system.call("read", LIMIT).await.unwrap_err();
        assert_eq!((fault.kind, fault.rejection, fault.attempts), (Kind::NotFound, None, 1), "{fault:?}");
        assert_eq!(remote.requests(), asked);
    }
    assert_eq!(system.guarded.status().lanes[0].state, State::Closed);
}

async fn check(row: Row, headers: &str) -> Result<(), String> {
    let (status, _, operation, kind, then) = row;
    let remote = Remote::answering(status, headers, b"{ not json").await;
    let system = Rested::at(remote.addr, two_attempts());
    let fault = system.call(operation, LIMIT).await.unwrap_err();
    let (attempts, waits) = (system.ear.attempts(), system.ear.waits());
    let told = |seconds: u64, wait: Option<Duration>| wait == Some(Duration::from_secs(seconds));
    let right = match then {
        Stop => attempts == 1 && fault.retry_after.is_none(),
        After(millis) => attempts == 2 && waits == [Duration::from_millis(millis)],
        Told(seconds) => attempts == 2 && told(seconds, waits.first().copied()),
        Hand(seconds) => attempts == 1 && told(seconds, fault.retry_after),
    };
    let counted = remote.requests() == attempts && u64::from(fault.attempts) == attempts;
    let said = fault.kind == kind && fault.status == Some(status);
    if right && counted && said {
        return Ok(());
    }
    Err(format!("{row:?}: {attempts} attempts, {} arrived, waits {waits:?}, {fault:?}", remote.requests()))
}
