//! How long to wait before the next attempt.

use std::time::Duration;

use port::{Entropy, Fault, Kind};

use crate::policy::{Jitter, Retry};

/// The wait before attempt `next` (from 2), after `fault`. A `Retry-After` is a floor, and what chance adds comes on top
/// of it, as far as the policy is willing to wait here: all who were told the same would come back together. `None` when
/// the floor alone is higher.
pub(crate) fn wait(retry: &Retry, next: u32, fault: &Fault, entropy: &dyn Entropy) -> Option<Duration> {
    let (least, more) = spread(retry.jitter, computed(retry, next, fault.kind), entropy);
    let ours = (least + more).min(retry.max);
    match fault.retry_after {
        Some(asked) if asked > retry.max_retry_after => None,
        Some(asked) => Some((asked + more).min(retry.max_retry_after).max(ours)),
        None => Some(ours),
    }
}

/// `initial · multiplier^(next - 2)`, at most `max`.
fn computed(retry: &Retry, next: u32, kind: Kind) -> Duration {
    let initial = if kind == Kind::Throttled { retry.initial_throttled } else { retry.initial };
    let power = i32::try_from(next.saturating_sub(2)).unwrap_or(i32::MAX);
    let seconds = initial.as_secs_f64() * retry.multiplier.powi(power);
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX).min(retry.max)
}

/// The part of the wait that is certain, and the part that chance adds.
fn spread(jitter: Jitter, delay: Duration, entropy: &dyn Entropy) -> (Duration, Duration) {
    match jitter {
        Jitter::Full => (Duration::ZERO, delay.mul_f64(entropy.unit())),
        Jitter::Factor(factor) => (delay, delay.mul_f64(factor * entropy.unit())),
        Jitter::UpTo(most) => (delay, most.mul_f64(entropy.unit())),
        Jitter::None => (delay, Duration::ZERO),
    }
}

/// The longest [`wait`] before attempt `next` when nobody asks for more.
pub(crate) fn longest(retry: &Retry, next: u32) -> Duration {
    let delay = computed(retry, next, Kind::Unavailable).max(computed(retry, next, Kind::Throttled));
    let spread = match retry.jitter {
        Jitter::Full | Jitter::None => delay,
        Jitter::Factor(factor) => delay + delay.mul_f64(factor),
        Jitter::UpTo(most) => delay + most,
    };
    spread.min(retry.max)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use port::{Landed, SeededEntropy};

    use super::*;

    fn fault(kind: Kind) -> Fault {
        Fault::new(kind, Landed::No, "test")
    }

    fn fixed(retry: &Retry, next: u32, kind: Kind) -> Duration {
        let retry = Retry { jitter: Jitter::None, ..retry.clone() };
        wait(&retry, next, &fault(kind), &SeededEntropy::new(1)).unwrap()
    }

    #[test]
    fn waits_double_up_to_the_longest() {
        let retry = Retry { max: Duration::from_millis(300), ..Retry::default() };
        let waits: Vec<_> = (2..7).map(|next| fixed(&retry, next, Kind::Timeout).as_millis()).collect();
        assert_eq!(waits, [50, 100, 200, 300, 300]);
        assert_eq!(fixed(&Retry::default(), 2, Kind::Throttled), Duration::from_secs(1));
    }

    #[test]
    fn b19_no_wait_is_longer_than_the_longest() {
        let entropy = SeededEntropy::new(7);
        for jitter in [Jitter::Full, Jitter::Factor(0.2), Jitter::UpTo(Duration::from_millis(100))] {
            let retry = Retry { jitter, max: Duration::from_secs(1), ..Retry::default() };
            for next in 2..200 {
                let wait = wait(&retry, next, &fault(Kind::Unavailable), &entropy).unwrap();
                assert!(wait <= retry.max, "{jitter:?}, attempt {next}: {wait:?}");
                assert!(wait <= longest(&retry, next), "{jitter:?}, attempt {next}: {wait:?}");
            }
        }
    }

    #[test]
    fn b19_waits_are_spread() {
        let entropy = SeededEntropy::new(3);
        let retry = Retry { initial: Duration::from_secs(1), ..Retry::default() };
        let waits: Vec<_> =
            (0..1_000).map(|_| wait(&retry, 2, &fault(Kind::Timeout), &entropy).unwrap()).collect();
        let mean = waits.iter().sum::<Duration>() / 1_000;
        assert!((450..550).contains(&mean.as_millis()), "full jitter halves the mean: {mean:?}");
        assert!(
            waits.iter().any(|wait| wait.as_millis() < 50) && waits.iter().any(|wait| wait.as_millis() > 950)
        );
    }

    #[test]
    fn a_retry_after_is_a_floor_until_it_is_too_long_to_wait_here() {
        let entropy = SeededEntropy::new(3);
        let after = |seconds| {
            let fault = fault(Kind::Throttled).after(Some(Duration::from_secs(seconds)));
            wait(&Retry::default(), 2, &fault, &entropy)
        };
        assert!(after(7).is_some_and(|wait| wait >= Duration::from_secs(7)));
        assert_eq!(after(31), None);
    }

    #[test]
    fn b19_all_who_were_told_the_same_do_not_come_back_together() {
        let fault = fault(Kind::Throttled).after(Some(Duration::from_secs(7)));
        for jitter in [Jitter::Full, Jitter::Factor(0.2), Jitter::UpTo(Duration::from_millis(200))] {
            let retry = Retry { jitter, ..Retry::default() };
            let waits: std::collections::BTreeSet<_> = (0..50)
                .map(|seed| wait(&retry, 2, &fault, &SeededEntropy::new(seed)).unwrap().as_millis())
                .collect();
            assert!(waits.len() > 25, "{jitter:?}: 50 callers come back at {waits:?}");
            assert!(waits.iter().all(|wait| (7_000..=8_000).contains(wait)), "{jitter:?}: {waits:?}");
        }
    }
}
