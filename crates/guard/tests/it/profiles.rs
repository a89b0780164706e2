//! The built-in profiles: every number of requirements §7–§9, and a golden copy of all of them.

use std::time::Duration;

use expect_test::expect_file;
use guard::{Algorithm, Jitter, Mode, Policy, Window, profile, profiles};

use crate::fixture::seconds;

fn named(name: &str) -> Policy {
    profile(name).unwrap()
}

/// Name, failures in a row, open for s, successes to close, timeout s.
const BREAKERS: [(&str, Option<u32>, u64, u32, u64); 8] = [
    ("astra", None, 60, 1, 30),
    ("rag", Some(5), 60, 3, 30),
    ("actor", Some(5), 60, 1, 5),
    ("echo", Some(5), 60, 1, 30),
    ("salesSystem", Some(5), 60, 2, 30),
    ("erpSystem", Some(3), 120, 2, 45),
    ("eSignature", Some(5), 300, 3, 60),
    ("communicationGateway", Some(10), 30, 3, 15),
];

#[test]
fn breakers_open_and_close_as_the_guides_say() {
    for (name, failures, open_for, successes, timeout) in BREAKERS {
        let policy = named(name);
        let breaker = policy.breaker.unwrap();
        assert_eq!(breaker.consecutive_failures.map(Into::into), failures, "{name}");
        assert_eq!(breaker.open_for, seconds(open_for), "{name}");
        assert_eq!(breaker.half_open.success_threshold, successes, "{name}");
        assert_eq!(breaker.half_open.permits, successes, "{name}: C7, at most that many probes");
        assert_eq!(breaker.half_open.failure_percent, 0, "{name}: C7, any failure opens it again");
        assert_eq!(policy.attempt_timeout, seconds(timeout), "{name}");
        assert!(breaker.error_rate.is_some(), "{name}: B17, a success now and then must not hide an outage");
    }
    let rate = named("astra").breaker.unwrap().error_rate.unwrap();
    assert_eq!((rate.percent, rate.window), (50, Window::Time { length: seconds(10), buckets: 10 }));
}

/// Name, attempts (C6: max retries and one), initial ms, max ms, jitter.
const RETRIES: [(&str, u32, u64, u64, Jitter); 7] = [
    ("astra", 4, 1_000, 30_000, Jitter::Full),
    ("rag", 3, 1_000, 30_000, Jitter::Full),
    ("actor", 5, 100, 10_000, Jitter::UpTo(Duration::from_millis(100))),
    ("salesSystem", 4, 1_000, 30_000, Jitter::Factor(0.1)),
    ("erpSystem", 6, 2_000, 60_000, Jitter::Factor(0.2)),
    ("eSignature", 4, 1_000, 30_000, Jitter::Factor(0.1)),
    ("communicationGateway", 6, 500, 10_000, Jitter::Factor(0.15)),
];

#[test]
fn retries_are_as_the_guides_say() {
    for (name, attempts, initial, max, jitter) in RETRIES {
        let retry = named(name).retry;
        assert_eq!(retry.max_attempts.get(), attempts, "{name}");
        assert_eq!(
            (retry.initial.as_millis(), retry.max.as_millis()),
            (initial.into(), max.into()),
            "{name}"
        );
        assert_eq!((retry.jitter, retry.multiplier), (jitter, 2.0), "{name}");
        let budget = &retry.budget;
        assert_eq!(
            (budget.capacity, budget.cost, budget.cost_throttled, budget.refund),
            (500, 14, 5, 1),
            "{name}"
        );
    }
}

/// Name, capacity, refill per second.
const LIMITS: [(&str, u32, f64); 7] = [
    ("rag", 100, 100.0 / 60.0),
    ("echo", 100, 100.0 / 60.0),
    ("salesSystem", 100, 10.0),
    ("erpSystem", 50, 5.0),
    ("eSignature", 20, 2.0),
    ("smsGateway", 50, 10.0),
    ("emailGateway", 100, 20.0),
];

#[test]
fn limits_are_as_the_guides_say() {
    for (name, capacity, refill) in LIMITS {
        let limit = named(name).limit.unwrap();
        assert_eq!((limit.capacity, limit.refill_per_second, limit.weight), (capacity, refill, 1), "{name}");
        let waits = matches!(limit.mode, Mode::Wait { .. });
        assert_eq!(waits, name == "rag", "{name}: C8, only that guide waits");
        let sliding = limit.algorithm == Algorithm::SlidingWindow;
        assert_eq!(sliding, name == "echo", "{name}");
    }
}

#[test]
fn no_profile_contradicts_itself() {
    for (name, policy) in profiles() {
        assert_eq!(policy.conflicts(), [], "{name}");
    }
}

#[test]
fn every_number_is_as_it_was() {
    let mut text = String::new();
    for (name, policy) in profiles() {
        text.push_str(&format!("{name}: {policy:#?}\n"));
    }
    expect_file!["../data/profiles.txt"].assert_eq(&text);
}
