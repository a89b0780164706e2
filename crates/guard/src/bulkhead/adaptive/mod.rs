//! How many calls a system can take, learned from how long it takes to answer: the gradient of Envoy's adaptive
//! concurrency. While answers take about as long as they do with few calls out, the limit grows; when they take longer,
//! it shrinks in proportion. What counts is the middle of a round of answers, so that no odd one moves anything.
//!
//! How long an answer takes with few calls out is learned, a little at a time, from rounds in which half of the limit
//! was not used. Where there are none and answers take too long, it is measured: a third of the calls may be out for a
//! round. If that makes answers quicker, our calls were in each other's way; if not, the system is slower than it was.
//! An average over all answers would take every queue that lasts for the system's nature, and let it grow for ever; a
//! measurement of a system that answers as it should would shed what it can take.

mod round;
#[cfg(all(test, not(loom)))]
mod tests;

use std::time::Duration;

use round::Round;

use crate::policy;
use crate::sync::Lock;
use crate::tick::Tick;

pub(super) struct Gradient {
    state: Lock<State>,
    tolerance: f64,
    min: u32,
    max: u32,
}

struct State {
    limit: f64,
    /// Seconds, with few calls out; `None` before the first round.
    base: Option<f64>,
    round: Round,
    /// In a measurement, what the middle answer took before it.
    measuring: Option<f64>,
    /// No measurement before.
    next: Tick,
    /// Whether answers took too long in the last round too. In the first, a queue may still have grown.
    doubtful: bool,
}

/// An answer that came back.
pub(super) struct Answer {
    /// None came, or it was a failure.
    pub(super) good: bool,
    pub(super) took: Duration,
    /// How many calls were out, it included.
    pub(super) out: u32,
    pub(super) now: Tick,
}

/// From one measurement to the next, and at least so many times the time that an answer takes; and what part of it is
/// chance, so that nodes do not measure together.
const EVERY: Duration = Duration::from_secs(10);
const ANSWERS: f64 = 64.0;
const CHANCE: f64 = 0.3;
/// How much a second without load says about the time with few calls out, and any round at most.
const SEEN: f64 = 0.2;
const AT_MOST: f64 = 0.5;
/// Fewer calls out make an overloaded system quicker. What is above this part of a time is not quicker.
const NO_LESS: f64 = 0.8;

impl Gradient {
    pub(super) fn new(policy: &policy::Adaptive, max_in_flight: u32) -> Self {
        let state = State {
            limit: f64::from(policy.initial),
            base: None,
            round: Round::default(),
            measuring: None,
            next: Tick::default(),
            doubtful: false,
        };
        Self {
            state: Lock::new(state),
            tolerance: policy.tolerance,
            min: policy.min.max(1),
            max: max_in_flight,
        }
    }

    /// Learns from an answer. Returns how many calls may be out from now on.
    pub(super) fn learn(&self, answer: &Answer, chance: impl FnOnce() -> f64) -> u32 {
        let mut state = self.state.hold();
        if state.measuring.is_some() && answer.out > self.fewest(&state) {
            // Too many are still out.
            state.round.begin(answer.now);
        } else if state.counts(answer, self.few(&state)) {
            state.round.add(answer);
            if state.is_over(answer.now) {
                self.judge(&mut state, answer.now, chance);
            }
        }
        if state.measuring.is_some() { self.fewest(&state) } else { whole(state.limit) }
    }

    /// With no more calls out than this, answer times say nothing about the limit.
    fn few(&self, state: &State) -> u32 {
        (whole(state.limit) / 2).max(self.min)
    }

    /// As many may be out during a measurement.
    fn fewest(&self, state: &State) -> u32 {
        (whole(state.limit) / 3).max(self.min)
    }

    fn judge(&self, state: &mut State, now: Tick, chance: impl FnOnce() -> f64) {
        let (middle, quiet) = (state.round.middle(), state.round.most_out() <= self.few(state));
        let age = now.since(state.round.began()).as_secs_f64();
        state.round.begin(now);
        let base = *state.base.get_or_insert(middle);
        if let Some(before) = state.measuring.take() {
            return state.measured(base, middle, before, now);
        }
        // No load makes a system quicker.
        if quiet || middle < base {
            state.base = Some(base + (middle - base) * (SEEN * age).min(AT_MOST));
        }
        if !quiet {
            self.follow(state, middle / base, now, chance);
        }
    }

    /// Half of the answers took this many times as long as with few calls out.
    fn follow(&self, state: &mut State, longer: f64, now: Tick, chance: impl FnOnce() -> f64) {
        let gradient = (self.tolerance / longer).clamp(0.5, 1.0);
        // The root is room to grow, and for a queue at the system.
        let limit = state.limit * gradient + state.limit.sqrt();
        state.limit = limit.clamp(f64::from(self.min), f64::from(self.max));
        let doubtful = std::mem::replace(&mut state.doubtful, gradient < 1.0);
        if doubtful && state.doubtful && now >= state.next {
            let base = state.base.unwrap_or_default();
            let every = EVERY.as_secs_f64().max(base * ANSWERS) * (1.0 - CHANCE * chance());
            (state.measuring, state.next) = (Some(longer * base), now + Duration::from_secs_f64(every));
        }
    }
}

impl State {
    /// With a third of the calls out, half of the answers took longer than `middle` seconds.
    fn measured(&mut self, base: f64, middle: f64, before: f64, now: Tick) {
        self.base = Some(match middle {
            quicker if quicker < base * NO_LESS => {
                // The limit was far too high, and may still be.
                self.next = now;
                quicker
            }
            slower if slower > before * NO_LESS => slower,
            alike if alike <= base / NO_LESS => base + (alike - base) * SEEN,
            _ => base,
        });
    }

    /// An answer counts in the round in which it was asked for. A failure says something when it took long, and the
    /// system was busy.
    fn counts(&self, answer: &Answer, few: u32) -> bool {
        let slow = self.base.is_some_and(|base| answer.took.as_secs_f64() > base);
        let telling = answer.good || slow && answer.out > few;
        telling && answer.now.since(self.round.began()) >= answer.took
    }

    /// Two answer times, so that the slower ones have come back too.
    fn is_over(&self, now: Tick) -> bool {
        let age = now.since(self.round.began());
        self.round.is_full() && age.as_secs_f64() >= self.base.unwrap_or_default() * 2.0
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and 65,535")]
fn whole(limit: f64) -> u32 {
    limit as u32
}
