use std::collections::VecDeque;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::policy;

fn sample(bad: bool, slow: bool) -> Sample {
    Sample { bad, slow }
}

fn count(samples: impl Iterator<Item = (bool, bool)> + Clone) -> Tally {
    let many = |pick: fn(&(bool, bool)) -> bool| u32::try_from(samples.clone().filter(pick).count()).unwrap();
    Tally { calls: many(|_| true), bad: many(|(bad, _)| *bad), slow: many(|(_, slow)| *slow) }
}

/// Mostly shorter than a bucket; some skip buckets, some the whole window.
fn pauses() -> impl Strategy<Value = u64> {
    prop_oneof![8 => 0u64..500_000_000, 1 => 0u64..12_000_000_000]
}

proptest! {
    /// The ring counts what a list of the last N calls would.
    #[test]
    fn the_last_calls_are_counted_exactly(
        size in 1u32..130,
        calls in proptest::collection::vec(any::<(bool, bool)>(), 1..400),
    ) {
        let window = Window::new(&policy::Window::Calls(size));
        let mut naive = VecDeque::new();
        for (bad, slow) in calls {
            naive.push_back((bad, slow));
            naive.drain(..naive.len().saturating_sub(size as usize));
            let tally = window.add(sample(bad, slow), Tick::default);
            prop_assert_eq!(tally, Some(count(naive.iter().copied())));
        }
    }

    /// The buckets count what a list with the time of each call would, a bucket being forgotten as a whole.
    #[test]
    fn the_latest_calls_are_counted_exactly(
        buckets in 1u8..=16,
        calls in proptest::collection::vec((pauses(), any::<(bool, bool)>()), 1..300),
        leap in prop_oneof![Just(0u64), Just(65_536), 1u64..200_000],
    ) {
        let length = Duration::from_secs(10);
        let window = Window::new(&policy::Window::Time { length, buckets });
        let step = nanos(length) / u64::from(buckets);
        let mut naive: Vec<(u64, (bool, bool))> = Vec::new();
        let mut now = 0;
        for (index, (pause, (bad, slow))) in calls.into_iter().enumerate() {
            now += pause + if index == 150 { leap * step * u64::from(buckets) } else { 0 };
            naive.push((now / step, (bad, slow)));
            let oldest = (now / step + 1).saturating_sub(u64::from(buckets));
            let latest = naive.iter().filter(|(at, _)| *at >= oldest).map(|(_, sample)| *sample);
            let (tally, naive) = (window.add(sample(bad, slow), || Tick::from_nanos(now)), count(latest));
            let clean = naive.bad == 0 && naive.slow == 0;
            prop_assert_eq!(tally, (!clean).then_some(naive));
        }
    }
}

#[test]
fn a_full_bucket_keeps_the_shares() {
    let window = Window::new(&policy::Window::Time { length: Duration::from_secs(10), buckets: 1 });
    let mut tally = Tally::default();
    for call in 0..1_000_000 {
        tally = window.add(sample(call % 4 == 0, call % 2 == 0), Tick::default).unwrap();
    }
    let percent = |part: u32| (f64::from(part) / f64::from(tally.calls) * 100.0).round();
    assert!(tally.calls >= 30_000, "{tally:?}");
    assert_eq!((percent(tally.bad), percent(tally.slow)), (25.0, 50.0), "{tally:?}");
}
