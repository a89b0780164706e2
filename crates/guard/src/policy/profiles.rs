//! The built-in profiles: numbers by name.
//!
//! Sources: requirements §7–§9. `max retries` of the guides became `max_attempts` by adding one (C6). Where a guide
//! gives no number, the default of [`Policy`] stands. Every profile also trips on the error rate, because a count of
//! failures in a row never opens while every second call fails (B17).

use std::num::NonZeroU32;
use std::time::Duration;

use super::{Algorithm, Breaker, ErrorRate, HalfOpen, Jitter, Limit, Mode, Per, Policy, Retry, Window};

/// The names of the built-in profiles, sorted.
const NAMES: [&str; 11] = [
    "actor",
    "astra",
    "communicationGateway",
    "default",
    "eSignature",
    "echo",
    "emailGateway",
    "erpSystem",
    "rag",
    "salesSystem",
    "smsGateway",
];

/// All built-in profiles with their names, sorted by name.
pub fn profiles() -> impl Iterator<Item = (&'static str, Policy)> {
    NAMES.into_iter().filter_map(|name| profile(name).map(|policy| (name, policy)))
}

/// The built-in profile of that name.
pub fn profile(name: &str) -> Option<Policy> {
    Some(match name {
        "default" => Policy::default(),
        "astra" => astra(),
        "rag" => rag(),
        "actor" => actor(),
        "echo" => echo(),
        "salesSystem" => sales_system(),
        "erpSystem" => erp_system(),
        "eSignature" => e_signature(),
        "communicationGateway" => communication_gateway(),
        "smsGateway" => limited(communication_gateway(), 50, 10.0),
        "emailGateway" => limited(communication_gateway(), 100, 20.0),
        _ => return None,
    })
}

/// The ASTRA integration guide: half of the calls within 10 s.
fn astra() -> Policy {
    let error_rate = ErrorRate {
        window: Window::Time { length: Duration::from_secs(10), buckets: 10 },
        min_calls: NonZeroU32::MIN.saturating_add(9),
        ..ErrorRate::default()
    };
    let breaker = Breaker { consecutive_failures: None, error_rate: Some(error_rate), ..breaker(5, 60, 1) };
    Policy { breaker: Some(breaker), retry: retry(4, 1_000, 30_000, Jitter::Full), ..Policy::default() }
}

/// The multi-cloud RAG guide: waits for tokens.
fn rag() -> Policy {
    let mode = Mode::Wait { max_wait: Duration::from_secs(60) };
    Policy {
        breaker: Some(breaker(5, 60, 3)),
        retry: retry(3, 1_000, 30_000, Jitter::Full),
        limit: Some(Limit { mode, ..per_minute(100, Algorithm::TokenBucket) }),
        ..Policy::default()
    }
}

/// The actor guide: short timeouts, many quick retries.
fn actor() -> Policy {
    Policy {
        breaker: Some(breaker(5, 60, 1)),
        retry: retry(5, 100, 10_000, Jitter::UpTo(Duration::from_millis(100))),
        attempt_timeout: Duration::from_secs(5),
        ..Policy::default()
    }
}

/// The echo guide: no retries, a sliding window that rejects.
fn echo() -> Policy {
    Policy {
        breaker: Some(breaker(5, 60, 1)),
        retry: Retry { max_attempts: NonZeroU32::MIN, ..Retry::default() },
        limit: Some(per_minute(100, Algorithm::SlidingWindow)),
        ..Policy::default()
    }
}

fn sales_system() -> Policy {
    let policy = Policy {
        breaker: Some(breaker(5, 60, 2)),
        retry: retry(4, 1_000, 30_000, Jitter::Factor(0.1)),
        attempt_timeout: Duration::from_secs(30),
        ..Policy::default()
    };
    limited(policy, 100, 10.0)
}

fn erp_system() -> Policy {
    let policy = Policy {
        breaker: Some(breaker(3, 120, 2)),
        retry: retry(6, 2_000, 60_000, Jitter::Factor(0.2)),
        attempt_timeout: Duration::from_secs(45),
        ..Policy::default()
    };
    limited(policy, 50, 5.0)
}

fn e_signature() -> Policy {
    let policy = Policy {
        breaker: Some(breaker(5, 300, 3)),
        retry: retry(4, 1_000, 30_000, Jitter::Factor(0.1)),
        attempt_timeout: Duration::from_secs(60),
        ..Policy::default()
    };
    limited(policy, 20, 2.0)
}

fn communication_gateway() -> Policy {
    Policy {
        breaker: Some(breaker(10, 30, 3)),
        retry: retry(6, 500, 10_000, Jitter::Factor(0.15)),
        attempt_timeout: Duration::from_secs(15),
        ..Policy::default()
    }
}

/// Opens after `failures` in a row for `seconds`; at most as many probes as it takes to close (C7).
fn breaker(failures: u32, seconds: u64, successes: u32) -> Breaker {
    let open_for = Duration::from_secs(seconds);
    Breaker {
        consecutive_failures: NonZeroU32::new(failures),
        open_for,
        max_open: Breaker::default().max_open.max(open_for * 4),
        half_open: HalfOpen { permits: successes, success_threshold: successes, ..HalfOpen::default() },
        ..Breaker::default()
    }
}

fn retry(attempts: u32, initial_ms: u64, max_ms: u64, jitter: Jitter) -> Retry {
    let initial = Duration::from_millis(initial_ms);
    Retry {
        max_attempts: NonZeroU32::new(attempts).unwrap_or(NonZeroU32::MIN),
        initial,
        initial_throttled: Retry::default().initial_throttled.max(initial),
        max: Duration::from_millis(max_ms),
        jitter,
        ..Retry::default()
    }
}

fn limited(policy: Policy, capacity: u32, refill_per_second: f64) -> Policy {
    Policy { limit: Some(bucket(capacity, refill_per_second)), ..policy }
}

fn bucket(capacity: u32, refill_per_second: f64) -> Limit {
    Limit {
        per: Per::System,
        capacity,
        refill_per_second,
        weight: 1,
        mode: Mode::Reject,
        algorithm: Algorithm::TokenBucket,
        shared: None,
    }
}

/// `N` per 60 s is capacity `N`, refill `N / 60` (C8).
fn per_minute(calls: u32, algorithm: Algorithm) -> Limit {
    Limit { algorithm, ..bucket(calls, f64::from(calls) / 60.0) }
}
