//! Our breaker against the suite.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use guard::breaker::{Breaker, Change, Permit, Scene};
use guard::{ErrorRate, HalfOpen, Slow, Tick, Verdict};

use crate::suite::{Candidate, Outcome, Window, cases};

pub(crate) struct Ours {
    breaker: Breaker,
    now: AtomicU64,
}

impl Scene for Ours {
    fn now(&self) -> Tick {
        Tick::from_nanos(self.now.load(Ordering::Relaxed))
    }

    fn chance(&self) -> f64 {
        0.5
    }

    fn changed(&self, _change: Change) {}
}

impl Candidate for Ours {
    type Call<'a> = Permit<'a>;

    fn new(window: Window) -> Self {
        let window = match window {
            Window::LastHundred => guard::Window::Calls(100),
            Window::LastTenSeconds => guard::Window::Time { length: Duration::from_secs(10), buckets: 10 },
        };
        let rate = ErrorRate { percent: 50, window, min_calls: NonZeroU32::new(100).unwrap() };
        let policy = guard::Breaker {
            consecutive_failures: None,
            error_rate: Some(rate),
            slow: Some(Slow { percent: 50, over: Duration::from_secs(2) }),
            half_open: HalfOpen { permits: 5, success_threshold: 5, ..HalfOpen::default() },
            ..guard::Breaker::default()
        };
        Self { breaker: Breaker::new(&policy), now: AtomicU64::new(0) }
    }

    fn begin(&self) -> Option<Permit<'_>> {
        self.breaker.admit(self).ok()
    }

    fn end(&self, call: Permit<'_>, outcome: Outcome) {
        let (verdict, took) = match outcome {
            Outcome::Good => (Verdict::Good, 0),
            Outcome::Slow => (Verdict::Good, 10),
            Outcome::Bad => (Verdict::Bad { retry_after: None }, 0),
            Outcome::Neutral => (Verdict::Neutral, 0),
        };
        call.settle(verdict, Duration::from_secs(took), self);
    }

    fn pass(&self, time: Duration) {
        self.now.fetch_add(u64::try_from(time.as_nanos()).unwrap(), Ordering::Relaxed);
    }
}

#[test]
fn our_breaker_does_what_every_breaker_must() {
    let failed: Vec<_> =
        cases::<Ours>().into_iter().filter_map(|(name, case)| case().err().map(|why| (name, why))).collect();
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn a_breaker_costs_at_most_256_bytes_per_key() {
    // A window of calls keeps four of them to a byte beside the breaker; the rules are shared.
    let size = std::mem::size_of::<Breaker>() + 100 / 4;
    assert!(size <= 256, "{size} bytes");
}
