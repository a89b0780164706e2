//! Real servers, started by the test that needs them: from the machine's own packages, in a folder of their own, on a
//! free loopback port, gone when dropped. They can be stopped, started again, paused and emptied, to see who notices.
//!
//! It knows the servers' programs, not their protocols beyond a word or two. Starting blocks the thread.

mod authority;
mod daemon;
mod postgres;
mod redis;

use std::time::Duration;

pub use authority::Authority;
pub use postgres::Postgres;
pub use redis::Redis;

/// A server, as the tests of whoever depends on it see it.
pub trait Server: Sized {
    /// Starts one. `None` when its program is not installed, which is said on standard error with the test's name.
    ///
    /// # Panics
    /// When the program is there but does not start; and, with `CI=true` in the environment, when it is not installed.
    fn start(test: &str) -> Option<Self>;

    /// Where it is.
    fn url(&self) -> String;

    /// Ends it, as a crash would.
    fn stop(&mut self);

    /// Starts it again, at the same place, with what it kept.
    fn start_again(&mut self);

    /// It is there and does not answer.
    fn pause(&self);

    /// It answers again.
    fn resume(&self);

    /// It has forgotten everything.
    fn wipe(&self);

    /// Its clock: the time since 1970.
    fn clock(&self) -> Duration;
}

/// Says that a test cannot be run for want of a program.
fn skip(test: &str, program: &str) {
    let said = format!("skipped: {test}: {program} is not installed");
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{said}; run scripts/setup.sh test");
    eprintln!("{said}");
}
