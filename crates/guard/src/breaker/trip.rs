//! When a breaker opens and when it closes again.

use std::time::Duration;

use super::window::{Sample, Tally, Window};
use super::word::{Phase, Probes, Word};
use super::{Breaker, Change, Permit, Scene};
use crate::event::State;
use crate::policy;
use crate::tick::{Tick, nanos};

/// A breaker's numbers, shared by all keys of one system.
pub(super) struct Rules {
    pub(super) window: Option<policy::Window>,
    pub(super) open_for: Duration,
    pub(super) permits: u16,
    /// Milliseconds.
    pub(super) max_wait: u64,
    consecutive: Option<u32>,
    error_percent: u32,
    min_calls: u32,
    slow: Option<policy::Slow>,
    open_multiplier: f64,
    open_jitter: f64,
    max_open: Duration,
    threshold: u16,
    failure_percent: u32,
}

impl Rules {
    pub(super) fn new(policy: &policy::Breaker) -> Self {
        let probes = &policy.half_open;
        let ten_bits = |number: u32| u16::try_from(number.clamp(1, 500)).unwrap_or(500);
        Self {
            window: policy.error_rate.as_ref().map(|rate| rate.window.clone()),
            open_for: policy.open_for,
            permits: ten_bits(probes.permits),
            max_wait: nanos(probes.max_wait) / 1_000_000,
            consecutive: policy.consecutive_failures.map(Into::into),
            error_percent: policy.error_rate.as_ref().map_or(100, |rate| u32::from(rate.percent)),
            min_calls: policy.error_rate.as_ref().map_or(1, |rate| rate.min_calls.get()),
            slow: policy.slow.clone(),
            open_multiplier: policy.open_multiplier,
            open_jitter: policy.open_jitter,
            max_open: policy.max_open,
            threshold: ten_bits(probes.success_threshold),
            failure_percent: u32::from(probes.failure_percent),
        }
    }

    #[inline]
    pub(super) fn is_slow(&self, took: Duration) -> bool {
        self.slow.as_ref().is_some_and(|slow| took > slow.over)
    }

    /// When to come back while all probes are out: soon, they decide.
    pub(super) fn probe_hint(&self) -> Duration {
        self.open_for.min(Duration::from_secs(1))
    }

    /// How long to stay open the `round`th time in a row (from 0): longer each time, at least what the system asked for,
    /// never longer than the longest. It is spread also where it has grown to the longest.
    pub(super) fn open_time(&self, round: u8, asked: Option<Duration>, chance: f64) -> Duration {
        let spread = |least: f64| least * (1.0 + self.open_jitter * chance);
        let longest = self.max_open.as_secs_f64() / (1.0 + self.open_jitter);
        let grown = self.open_for.as_secs_f64() * self.open_multiplier.powi(i32::from(round));
        let asked = asked.unwrap_or_default().min(self.max_open).as_secs_f64();
        Duration::from_secs_f64(spread(grown.min(longest).max(asked))).min(self.max_open)
    }

    #[inline]
    fn trips(&self, tally: Tally) -> bool {
        let share = |count: u32, percent: u32| count * 100 >= percent * tally.calls;
        let bad = share(tally.bad, self.error_percent);
        let slow = self.slow.as_ref().is_some_and(|slow| share(tally.slow, u32::from(slow.percent)));
        tally.calls >= self.min_calls && (bad || slow)
    }

    /// What the probes say together: `None` while they have not decided.
    fn decide(&self, probes: Probes) -> Option<State> {
        if u32::from(probes.bad) * 100 > self.failure_percent * u32::from(self.threshold) {
            return Some(State::Open);
        }
        if probes.good < self.threshold {
            return None;
        }
        let answered = u32::from(probes.good) + u32::from(probes.bad);
        let slow = self
            .slow
            .as_ref()
            .is_some_and(|slow| u32::from(probes.slow) * 100 >= u32::from(slow.percent) * answered);
        Some(if slow { State::Open } else { State::Closed })
    }
}

impl Breaker {
    /// Takes a result into account, unless it belongs to an earlier era. `asked` is how long the system asked to be
    /// left alone.
    #[inline]
    pub(super) fn judge(
        &self,
        permit: &mut Permit<'_>,
        sample: Sample,
        asked: Option<Duration>,
        scene: &impl Scene,
    ) {
        let word = self.read();
        if word.era != permit.era {
            return;
        }
        match word.phase {
            Phase::Closed { streak } => {
                let tripped = self.count(permit.era, sample, scene);
                // Nearly every call ends here: nothing to write, nobody to tell.
                if tripped || sample.bad || streak > 0 {
                    self.closed(permit.era, sample, tripped, asked, scene);
                }
            }
            Phase::HalfOpen(_) => self.probed(permit, sample, asked, scene),
            Phase::Open { .. } => {}
        }
    }

    /// Adds the call to the window; whether that makes too many.
    #[inline]
    fn count(&self, era: u16, sample: Sample, scene: &impl Scene) -> bool {
        let Some(window) = &self.window else { return false };
        let tally = match sample.bad || sample.slow {
            false => window.add(sample, || scene.now()),
            true => self.blame(window, era, sample, scene.now()),
        };
        tally.is_some_and(|tally| self.rules.trips(tally))
    }

    /// Adds a failure, unless the era it belongs to is over. One success of an earlier era does no harm.
    fn blame(&self, window: &Window, era: u16, sample: Sample, now: Tick) -> Option<Tally> {
        let _alone = self.emptying.hold();
        (self.read().era == era).then(|| window.add(sample, || now)).flatten()
    }

    /// A result while closed that the word must take.
    fn closed(&self, era: u16, sample: Sample, tripped: bool, asked: Option<Duration>, scene: &impl Scene) {
        loop {
            let word = self.read();
            let Phase::Closed { streak } = word.phase else { return };
            let next = if sample.bad { streak.saturating_add(1) } else { 0 };
            let enough = self.rules.consecutive.is_some_and(|most| next >= most);
            let done = if word.era != era {
                true
            } else if tripped || enough {
                self.open(word, 0, asked, scene)
            } else {
                next == streak || self.swap(word, word.still(Phase::Closed { streak: next }))
            };
            if done {
                return;
            }
        }
    }

    /// A result while half open. Once the word took it, the permit has nothing to give back.
    fn probed(&self, permit: &mut Permit<'_>, sample: Sample, asked: Option<Duration>, scene: &impl Scene) {
        loop {
            let word = self.read();
            let Phase::HalfOpen(probes) = word.phase else { return };
            if word.era != permit.era {
                return;
            }
            if self.took(word, probes.with(sample), asked, scene) {
                permit.probe = false;
                return;
            }
        }
    }

    /// Whether the word took what the probes have come to.
    fn took(&self, word: Word, probes: Probes, asked: Option<Duration>, scene: &impl Scene) -> bool {
        match self.rules.decide(probes) {
            None => self.swap(word, word.still(Phase::HalfOpen(probes))),
            Some(State::Open) => self.open(word, probes.round + 1, asked, scene),
            Some(State::Closed | State::HalfOpen) => {
                let closed = self.close(word);
                if closed {
                    scene.changed(Change { from: State::HalfOpen, to: State::Closed, open_for: None });
                }
                closed
            }
        }
    }
}

impl Probes {
    /// One more probe came back.
    fn with(self, sample: Sample) -> Self {
        Self {
            out: self.out.saturating_sub(1),
            good: self.good + u16::from(!sample.bad),
            bad: self.bad + u16::from(sample.bad),
            slow: self.slow + u16::from(sample.slow),
            round: self.round,
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Opens for 10 s, then 20 s and so on, at most for 60 s, up to a fifth more by chance.
    fn open_time(round: u8, asked: Option<Duration>, chance: f64) -> Duration {
        let rules = Rules::new(&policy::Breaker {
            open_for: 10 * SECOND,
            open_multiplier: 2.0,
            max_open: 60 * SECOND,
            open_jitter: 0.2,
            ..policy::Breaker::default()
        });
        rules.open_time(round, asked, chance)
    }

    #[test]
    fn it_stays_open_longer_each_time_and_never_longer_than_the_longest() {
        let times: Vec<_> = (0..5).map(|round| open_time(round, None, 0.0).as_secs()).collect();
        assert_eq!(times, [10, 20, 40, 50, 50]);
        assert_eq!(open_time(63, None, 1.0), 60 * SECOND);
    }

    #[test]
    fn nodes_do_not_come_back_together_not_even_after_the_longest_time() {
        assert_eq!(open_time(0, None, 0.5), 11 * SECOND);
        let longest = [0.0, 0.5, 1.0].map(|chance| open_time(9, None, chance).as_secs());
        assert_eq!(longest, [50, 55, 60]);
    }

    #[test]
    fn it_stays_open_as_long_as_the_system_asked_and_never_longer_than_the_longest() {
        let asked = |seconds, chance| open_time(0, Some(seconds * SECOND), chance).as_secs();
        assert_eq!((asked(30, 0.0), asked(30, 0.5), asked(5, 0.0)), (30, 33, 10));
        assert_eq!((asked(59, 1.0), asked(3_600, 0.0)), (60, 60));
    }
}
