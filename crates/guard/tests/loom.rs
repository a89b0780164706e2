//! Every interleaving of a few threads on the breaker, its permits, the bulkhead's places and the retry
//! budget.
//!
//! `RUSTFLAGS="--cfg loom" CARGO_TARGET_DIR=target/loom cargo test -p guard --test loom`
#![cfg(loom)]
#![expect(clippy::unwrap_used, reason = "a failed test should panic")]

use std::num::NonZeroU32;
use std::time::Duration;

use guard::breaker::{Breaker, Change, Permit, Scene};
use guard::budget::{Coin, Purse};
use guard::{Budget, ErrorRate, HalfOpen, State, Tick, Verdict, Window};
use loom::sync::Arc;
use loom::sync::atomic::{AtomicU32, Ordering};
use loom::thread;

/// A moment; counts the changes it hears of.
#[derive(Clone)]
struct At(u64, Arc<AtomicU32>);

impl At {
    fn seconds(seconds: u64) -> Self {
        Self(seconds, Arc::new(AtomicU32::new(0)))
    }

    fn later(&self, seconds: u64) -> Self {
        Self(self.0 + seconds, Arc::clone(&self.1))
    }

    fn changes(&self) -> u32 {
        self.1.load(Ordering::SeqCst)
    }
}

impl Scene for At {
    fn now(&self) -> Tick {
        Tick::default() + Duration::from_secs(self.0)
    }

    fn chance(&self) -> f64 {
        0.0
    }

    fn changed(&self, _change: Change) {
        self.1.fetch_add(1, Ordering::SeqCst);
    }
}

const BAD: Verdict = Verdict::Bad { retry_after: None };

fn breaker(failures: u32, permits: u32) -> Arc<Breaker> {
    let policy = guard::Breaker {
        consecutive_failures: NonZeroU32::new(failures),
        error_rate: None,
        half_open: HalfOpen { permits, success_threshold: permits, ..HalfOpen::default() },
        ..guard::Breaker::default()
    };
    Arc::new(Breaker::new(&policy))
}

fn call(breaker: &Breaker, verdict: Verdict, at: &At) -> bool {
    let permit = breaker.admit(at);
    permit.map(|permit| permit.settle(verdict, Duration::ZERO, at)).is_ok()
}

fn open(breaker: &Breaker, at: &At) {
    while breaker.state() == State::Closed {
        call(breaker, BAD, at);
    }
}

#[test]
fn failures_of_two_threads_open_it_once() {
    loom::model(|| {
        let (breaker, at) = (breaker(2, 1), At::seconds(0));
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let (breaker, at) = (Arc::clone(&breaker), at.clone());
                thread::spawn(move || call(&breaker, BAD, &at))
            })
            .collect();
        threads.into_iter().for_each(|thread| assert!(thread.join().unwrap()));
        assert_eq!((breaker.state(), at.changes()), (State::Open, 1));
    });
}

/// Opens when one of two calls in one bucket failed.
fn of_two() -> Arc<Breaker> {
    let window = Window::Time { length: Duration::from_secs(10), buckets: 1 };
    let rate = ErrorRate { percent: 50, min_calls: NonZeroU32::new(2).unwrap(), window };
    let (consecutive_failures, error_rate) = (None, Some(rate));
    Arc::new(Breaker::new(&guard::Breaker { consecutive_failures, error_rate, ..guard::Breaker::default() }))
}

fn one_good_one_bad_at_once(breaker: &Arc<Breaker>, at: &At) {
    let other = thread::spawn({
        let (breaker, at) = (Arc::clone(breaker), at.clone());
        move || call(&breaker, BAD, &at)
    });
    assert!(call(breaker, Verdict::Good, at));
    assert!(other.join().unwrap());
    assert_eq!((breaker.state(), at.changes()), (State::Open, 1), "one of two calls failed");
}

/// A good call skips counting up a window in which it saw nothing bad; it must not miss what is counted beside it.
#[test]
fn a_failure_and_a_success_at_once_are_both_seen() {
    loom::model(|| one_good_one_bad_at_once(&of_two(), &At::seconds(0)));
}

/// The first calls in a bucket that was used before begin its count anew, and none of them is forgotten with the old.
#[test]
fn two_who_begin_a_bucket_at_once_are_both_counted() {
    loom::model(|| {
        let (breaker, at) = (of_two(), At::seconds(0));
        call(&breaker, Verdict::Good, &at.later(150));
        one_good_one_bad_at_once(&breaker, &at.later(160));
    });
}

/// What failed before a reset must not open the breaker after it.
#[test]
fn a_failure_and_a_reset_at_once_leave_nothing_behind() {
    loom::model(|| {
        let (breaker, at) = (of_two(), At::seconds(0));
        let late = breaker.admit(&at).unwrap();
        let (theirs, their_at) = (Arc::clone(&breaker), at.clone());
        let operator = thread::spawn(move || theirs.reset(&their_at));
        late.settle(BAD, Duration::ZERO, &at);
        operator.join().unwrap();
        call(&breaker, Verdict::Good, &at);
        assert_eq!(breaker.state(), State::Closed);
    });
}

/// Three threads meet in too many ways to try them all; every one with at most two forced switches is tried.
fn bounded(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(2);
    builder.check(model);
}

#[test]
fn three_callers_get_exactly_two_permits() {
    bounded(|| {
        let (breaker, at) = (breaker(1, 2), At::seconds(0));
        open(&breaker, &at);
        let at = at.later(60);
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let (breaker, at) = (Arc::clone(&breaker), at.clone());
                thread::spawn(move || breaker.admit(&at).map(std::mem::forget).is_ok())
            })
            .collect();
        let ours = breaker.admit(&at).map(std::mem::forget).is_ok();
        let out = threads.into_iter().map(|thread| thread.join().unwrap()).chain([ours]);
        assert_eq!(out.filter(|out| *out).count(), 2);
    });
}

#[test]
fn a_permit_that_is_dropped_is_there_for_the_next() {
    loom::model(|| {
        let (breaker, at) = (breaker(1, 1), At::seconds(0));
        open(&breaker, &at);
        let at = at.later(60);
        let (theirs, their_at) = (Arc::clone(&breaker), at.clone());
        let gone = thread::spawn(move || drop(theirs.admit(&their_at)));
        drop(breaker.admit(&at));
        gone.join().unwrap();
        assert!(breaker.admit(&at).is_ok(), "a permit leaked");
    });
}

/// The stamp of an earlier probe is more than a maximum wait old, and must not be taken for that of one just out.
#[test]
fn two_probes_after_a_long_silence_are_both_on_time() {
    loom::model(|| {
        let (breaker, at) = (breaker(1, 2), At::seconds(0));
        open(&breaker, &at);
        call(&breaker, Verdict::Neutral, &at.later(60));
        let at = at.later(121);
        let (theirs, their_at) = (Arc::clone(&breaker), at.clone());
        let other = thread::spawn(move || theirs.admit(&their_at).map(std::mem::forget).is_ok());
        let ours = breaker.admit(&at).map(std::mem::forget).is_ok();
        assert!(ours && other.join().unwrap());
        assert_eq!(breaker.state(), State::HalfOpen);
    });
}

#[test]
fn a_late_result_never_counts() {
    loom::model(|| {
        let (breaker, at) = (breaker(1, 1), At::seconds(0));
        let late: Permit<'_> = breaker.admit(&at).unwrap();
        open(&breaker, &at);
        let later = at.later(60);
        let (theirs, their_at) = (Arc::clone(&breaker), later.clone());
        let probe = thread::spawn(move || call(&theirs, Verdict::Good, &their_at));
        late.settle(BAD, Duration::ZERO, &later);
        assert!(probe.join().unwrap());
        assert_eq!(breaker.state(), State::Closed);
    });
}

#[test]
fn a_good_and_a_bad_probe_end_open_whichever_is_first() {
    loom::model(|| {
        let (breaker, at) = (breaker(1, 2), At::seconds(0));
        open(&breaker, &at);
        let at = at.later(60);
        let (theirs, their_at) = (Arc::clone(&breaker), at.clone());
        let good = thread::spawn(move || call(&theirs, Verdict::Good, &their_at));
        let bad = call(&breaker, BAD, &at);
        good.join().unwrap();
        assert!(bad);
        assert_eq!(breaker.state(), State::Open);
    });
}

#[test]
fn the_budget_is_never_overdrawn_and_never_overfilled() {
    loom::model(|| {
        let prices = Budget { capacity: 20, cost: 14, cost_throttled: 5, refund: 3 };
        let purse = Arc::new(Purse::new(prices));
        let theirs = Arc::clone(&purse);
        let thread = thread::spawn(move || {
            let coin = theirs.withdraw(false);
            coin.iter().for_each(Coin::spend);
            coin.map(Coin::won).is_some()
        });
        let paid = purse.withdraw(false).inspect(Coin::spend).is_some();
        purse.succeeded();
        let theirs = thread.join().unwrap();
        assert!(paid || theirs, "20 tokens pay for one retry");
        assert!(purse.left() <= 20);
        assert!(paid || purse.left() == 20, "{}", purse.left());
    });
}

#[test]
fn one_place_holds_one_and_is_given_back() {
    loom::model(|| {
        let policy = guard::Bulkhead { max_in_flight: 1, queue: 0, ..guard::Bulkhead::default() };
        let bulkhead = guard::bulkhead::Bulkhead::new(&policy);
        let inside = Arc::new(AtomicU32::new(0));
        let enter = |bulkhead: &std::sync::Arc<guard::bulkhead::Bulkhead>, inside: &AtomicU32| {
            let Some(_place) = bulkhead.try_enter() else { return };
            assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0, "two are in");
            inside.fetch_sub(1, Ordering::SeqCst);
        };
        let (theirs, their_inside) = (std::sync::Arc::clone(&bulkhead), Arc::clone(&inside));
        let thread = thread::spawn(move || enter(&theirs, &their_inside));
        enter(&bulkhead, &inside);
        thread.join().unwrap();
        assert!(bulkhead.in_flight() == 0 && bulkhead.try_enter().is_some());
    });
}
