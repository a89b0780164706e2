//! `limits` counts limits for several nodes together, in a server that decides by its own clock in one atomic step.
//!
//! The guard says what is counted, and what applies while a server is away ([`guard::shared`]); this crate knows how
//! Redis and PostgreSQL count it. It knows no system, no call and no policy beyond its numbers.

use std::time::Duration;

use guard::limit::TooMany;

#[cfg(feature = "postgres")]
pub mod postgres;
#[cfg(feature = "redis")]
pub mod redis;

/// Whole microseconds, rounded down; what a server can count in 53 bits.
fn micros(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX).min(1 << 50)
}

/// Servers answer with one number: how long to wait, or, below zero, when to come back.
fn answer(micros: i64) -> Result<Duration, TooMany> {
    let span = Duration::from_micros(micros.unsigned_abs());
    if micros < 0 { Err(TooMany { retry_after: span }) } else { Ok(span) }
}
