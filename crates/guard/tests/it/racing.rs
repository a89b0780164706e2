//! Two callers at one breaker, the second of them exactly between two steps of the first.

use std::cell::{Cell, RefCell};
use std::num::NonZeroU32;
use std::time::Duration;

use guard::breaker::{Breaker, Change, Scene};
use guard::{ErrorRate, HalfOpen, State, Tick, Verdict, Window};

/// A moment; whoever first asks for the time lets somebody else act before it gets an answer.
struct At<'a> {
    seconds: u64,
    meanwhile: RefCell<Option<Box<dyn FnOnce() + 'a>>>,
}

fn at(seconds: u64) -> At<'static> {
    At { seconds, meanwhile: RefCell::new(None) }
}

impl<'a> At<'a> {
    fn while_there(seconds: u64, meanwhile: impl FnOnce() + 'a) -> Self {
        Self { seconds, meanwhile: RefCell::new(Some(Box::new(meanwhile))) }
    }
}

impl Scene for At<'_> {
    fn now(&self) -> Tick {
        let meanwhile = self.meanwhile.borrow_mut().take();
        meanwhile.into_iter().for_each(|act| act());
        Tick::default() + Duration::from_secs(self.seconds)
    }

    fn chance(&self) -> f64 {
        0.0
    }

    fn changed(&self, _change: Change) {}
}

const BAD: Verdict = Verdict::Bad { retry_after: None };

fn call(breaker: &Breaker, verdict: Verdict, scene: &At<'_>) {
    breaker.admit(scene).unwrap().settle(verdict, Duration::ZERO, scene);
}

/// Opens at the first failure; two probes.
fn half_open() -> Breaker {
    let half_open = HalfOpen { permits: 2, success_threshold: 2, ..HalfOpen::default() };
    let breaker = Breaker::new(&guard::Breaker {
        consecutive_failures: NonZeroU32::new(1),
        error_rate: None,
        half_open,
        ..guard::Breaker::default()
    });
    call(&breaker, BAD, &at(0));
    call(&breaker, Verdict::Neutral, &at(60));
    assert_eq!(breaker.state(), State::HalfOpen);
    breaker
}

#[test]
fn a_probe_after_a_long_silence_is_not_late_before_it_left() {
    let breaker = half_open();
    let second = Cell::new(false);
    let first = At::while_there(121, || second.set(breaker.admit(&at(121)).map(std::mem::forget).is_ok()));
    let permit = breaker.admit(&first);
    assert_eq!((permit.is_ok(), second.get(), breaker.state()), (true, true, State::HalfOpen));
}

#[test]
fn a_caller_that_was_held_up_makes_nobody_late() {
    let breaker = half_open();
    // It looked at 61, and at 119 another one is quicker.
    let held_up = At::while_there(61, || breaker.admit(&at(119)).map(std::mem::forget).unwrap());
    breaker.admit(&held_up).map(std::mem::forget).unwrap();
    assert!(breaker.admit(&at(130)).is_err(), "both are out");
    assert_eq!(breaker.state(), State::HalfOpen, "the first has been out for eleven seconds");
    assert!(breaker.admit(&at(179)).is_err(), "they have not come back");
    assert_eq!(breaker.state(), State::Open);
}

/// Opens when one of two calls failed.
fn of_two() -> Breaker {
    let window = Window::Time { length: Duration::from_secs(10), buckets: 1 };
    let rate = ErrorRate { percent: 50, min_calls: NonZeroU32::new(2).unwrap(), window };
    Breaker::new(&guard::Breaker {
        consecutive_failures: None,
        error_rate: Some(rate),
        ..guard::Breaker::default()
    })
}

#[test]
fn a_failure_from_before_a_reset_leaves_no_trace() {
    let breaker = of_two();
    let late = breaker.admit(&at(0)).unwrap();
    late.settle(BAD, Duration::ZERO, &At::while_there(1, || breaker.reset(&at(1))));
    call(&breaker, Verdict::Good, &at(2));
    assert_eq!(breaker.state(), State::Closed);
}
