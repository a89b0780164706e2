//! Leave to make one call, and what becomes of it.

use std::time::Duration;

use super::window::Sample;
use super::word::{Phase, Probes};
use super::{Breaker, Scene};
use crate::classify::Verdict;

/// Leave to make one call. Dropped without a verdict, it is as if the call had never been.
#[must_use = "a permit that is dropped at once lets a call out that nobody judges"]
pub struct Permit<'a> {
    /// `None` when the breaker is switched off, or when its result does not count any more.
    pub(super) breaker: Option<&'a Breaker>,
    pub(super) era: u16,
    pub(super) probe: bool,
}

impl<'a> Permit<'a> {
    /// Leave that nobody keeps account of.
    #[inline]
    pub(super) fn untracked() -> Self {
        Self { breaker: None, era: 0, probe: false }
    }

    /// Whether somebody keeps account of it, and the state in which it was given still holds.
    #[inline]
    pub(super) fn holds(&self) -> bool {
        self.breaker.is_some_and(|breaker| breaker.read().era == self.era)
    }

    /// Whether the call finds out if the system is back.
    pub fn is_probe(&self) -> bool {
        self.probe
    }

    /// Says how the call went, and how long it took.
    #[inline]
    pub fn settle(mut self, verdict: Verdict, took: Duration, scene: &impl Scene) {
        let Some(breaker) = self.breaker else { return };
        let (bad, asked) = match verdict {
            Verdict::Good => (false, None),
            Verdict::Bad { retry_after } => (true, retry_after),
            Verdict::Neutral | Verdict::Throttled { .. } => return,
        };
        let sample = Sample { bad, slow: breaker.rules.is_slow(took) };
        breaker.judge(&mut self, sample, asked, scene);
    }
}

impl Drop for Permit<'_> {
    /// Gives a probe's place back: the caller went away, panicked, or learned nothing.
    #[inline]
    fn drop(&mut self) {
        let Some(breaker) = self.breaker.take().filter(|_| self.probe) else { return };
        loop {
            let word = breaker.read();
            let Phase::HalfOpen(probes) = word.phase else { return };
            if word.era != self.era {
                return;
            }
            let back = Probes { out: probes.out.saturating_sub(1), ..probes };
            if breaker.swap(word, word.still(Phase::HalfOpen(back))) {
                return;
            }
        }
    }
}
