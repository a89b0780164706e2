//! How many calls a system can take, learned from how long it takes to answer: the gradient of Envoy's adaptive
//! concurrency. While answers take about as long as they do with few calls out, the limit grows by a small queue; when
//! they take longer, it shrinks in proportion.
//!
//! How long an answer takes with few calls out is measured again every 1,000 answers, with `min` calls out: an average
//! over past answers would take every queue that lasts for the system's nature, and let it grow for ever.

use std::time::Duration;

use crate::policy;
use crate::sync::Lock;

pub(super) struct Gradient {
    state: Lock<State>,
    tolerance: f64,
    min: u32,
    max: u32,
}

struct State {
    limit: f64,
    /// Seconds, with few calls out.
    base: f64,
    /// Answers since the base was measured.
    answers: u32,
    /// Answers still to come to the measurement that is going on.
    measuring: u32,
    /// The shortest of those that came.
    shortest: f64,
}

/// The weight of one answer in the limit.
const SMOOTHING: f64 = 0.2;
/// How many calls may queue at the system: the room to grow.
const QUEUE: f64 = 4.0;
/// Answers from one measurement to the next.
const EVERY: u32 = 1_000;
/// Answers that make a measurement.
const MEASURE: u32 = 10;

impl Gradient {
    /// Starts with a measurement.
    pub(super) fn new(policy: &policy::Adaptive, max_in_flight: u32) -> Self {
        let limit = f64::from(policy.initial);
        let state = State { limit, base: 0.0, answers: 0, measuring: MEASURE, shortest: f64::INFINITY };
        Self {
            state: Lock::new(state),
            tolerance: policy.tolerance,
            min: policy.min.max(1),
            max: max_in_flight,
        }
    }

    /// An answer, or none (`good`), took this long while so many calls were out. Returns the limit from now on.
    pub(super) fn learn(&self, good: bool, took: Duration, in_flight: u32) -> u32 {
        let took = took.as_secs_f64().max(1e-6);
        let mut state = self.state.hold();
        if state.measuring > 0 {
            if good && in_flight <= self.min {
                state.measure(took);
            }
        } else if good || took > state.base {
            self.follow(&mut state, took, in_flight);
        }
        if state.measuring > 0 { self.min } else { whole(state.limit) }
    }

    fn follow(&self, state: &mut State, took: f64, in_flight: u32) {
        state.base = state.base.min(took);
        state.answers += 1;
        if state.answers >= EVERY {
            (state.answers, state.measuring, state.shortest) = (0, MEASURE, f64::INFINITY);
        }
        // With half of the limit unused, answer times say nothing about the limit.
        if f64::from(in_flight) >= state.limit / 2.0 {
            let gradient = (self.tolerance * state.base / took).clamp(0.5, 1.0);
            let target = state.limit * gradient + QUEUE;
            let moved = state.limit + (target - state.limit) * SMOOTHING;
            state.limit = moved.clamp(f64::from(self.min), f64::from(self.max));
        }
    }
}

impl State {
    fn measure(&mut self, took: f64) {
        self.shortest = self.shortest.min(took);
        self.measuring -= 1;
        if self.measuring == 0 {
            self.base = self.shortest;
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and 65,535")]
fn whole(limit: f64) -> u32 {
    limit as u32
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn gradient() -> Gradient {
        Gradient::new(&policy::Adaptive { min: 2, initial: 20, tolerance: 1.5 }, 200)
    }

    /// So many answers, each after `time` of the calls that are out; the limit after each.
    fn answers(gradient: &Gradient, times: usize, from: u32, time: impl Fn(u32) -> f64) -> Vec<u32> {
        let step = |limit: &mut u32, _| {
            *limit = gradient.learn(true, Duration::from_secs_f64(time(*limit)), *limit);
            Some(*limit)
        };
        (0..times).scan(from, step).collect()
    }

    #[test]
    fn it_grows_while_answers_take_as_long_as_ever() {
        assert_eq!(answers(&gradient(), 500, 20, |_| 0.01).last(), Some(&200), "up to max_in_flight");
    }

    #[test]
    fn it_shrinks_when_answers_take_longer_and_grows_again_after() {
        let gradient = gradient();
        let before = answers(&gradient, 500, 20, |_| 0.01)[499];
        let during = answers(&gradient, 50, before, |_| 0.1)[49];
        assert!(during < before / 4, "{before} to {during}");
        let after = answers(&gradient, 300, during, |_| 0.01)[299];
        assert!(after > during * 4, "{during} to {after}");
    }

    #[test]
    fn it_learns_nothing_from_a_quiet_time() {
        let gradient = gradient();
        for _ in 0..500 {
            gradient.learn(true, Duration::from_millis(10), 1);
        }
        assert_eq!(gradient.learn(true, Duration::from_millis(10), 1), 20);
    }

    /// A system that serves 16 at once in 10 ms each, and queues the rest.
    #[test]
    fn it_finds_what_the_system_can_take_and_stays_there() {
        let limits = answers(&gradient(), 50_000, 20, |out| 0.01 * (f64::from(out) / 16.0).max(1.0));
        let mut settled: Vec<_> = limits[1_000..].to_vec();
        settled.sort_unstable();
        let (median, most) = (settled[settled.len() / 2], settled[settled.len() - 1]);
        assert!((16..=32).contains(&median) && most <= 40, "median {median}, most {most}");
    }
}
