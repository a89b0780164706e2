use proptest::prelude::*;

use super::*;

fn limit(capacity: u32, refill_per_second: f64, mode: Mode, algorithm: Algorithm) -> Limit {
    weighing(1, capacity, refill_per_second, mode, algorithm)
}

fn weighing(weight: u32, capacity: u32, refill_per_second: f64, mode: Mode, algorithm: Algorithm) -> Limit {
    let per = policy::Per::System;
    Limit::new(&policy::Limit { per, capacity, refill_per_second, weight, mode, algorithm, shared: None })
}

const SECOND: u64 = 1_000_000_000;

fn at(seconds: f64) -> Tick {
    Tick::default() + Duration::from_secs_f64(seconds)
}

fn take(limit: &Limit, seconds: f64) -> Result<Duration, TooMany> {
    limit.take(at(seconds), Tick::default(), None)
}

#[test]
fn a_bucket_lets_its_capacity_through_and_then_says_when() {
    let limit = limit(20, 2.0, Mode::Reject, Algorithm::TokenBucket);
    for _ in 0..20 {
        assert_eq!(take(&limit, 0.0), Ok(Duration::ZERO));
    }
    assert_eq!(take(&limit, 0.0), Err(TooMany { retry_after: Duration::from_millis(500) }));
    assert_eq!(take(&limit, 0.5), Ok(Duration::ZERO));
    assert_eq!(limit.left(at(100.0)), 20, "a bucket never holds more than its capacity");
}

#[test]
fn a_heavy_call_takes_its_weight() {
    for algorithm in [Algorithm::TokenBucket, Algorithm::SlidingWindow] {
        let limit = weighing(4, 10, 1.0, Mode::Reject, algorithm);
        assert_eq!([take(&limit, 0.0), take(&limit, 0.0)], [Ok(Duration::ZERO); 2], "{algorithm:?}");
        assert!(take(&limit, 0.0).is_err(), "{algorithm:?}: eight of ten are taken");
        assert_eq!(limit.left(at(0.0)), 0, "{algorithm:?}");
    }
}

#[test]
fn a_sliding_window_never_lets_a_burst_straddle_it() {
    let limit = limit(100, 100.0 / 60.0, Mode::Reject, Algorithm::SlidingWindow);
    for call in 0..100 {
        assert_eq!(take(&limit, 59.0 + f64::from(call) / 1_000.0), Ok(Duration::ZERO));
    }
    assert_eq!(take(&limit, 61.0), Err(TooMany { retry_after: Duration::from_secs(58) }));
    assert_eq!(limit.left(at(119.0)), 1);
    assert_eq!(take(&limit, 119.0), Ok(Duration::ZERO));
}

#[test]
fn b18_waiting_callers_get_a_turn_each_and_no_one_waits_for_ever() {
    for algorithm in [Algorithm::TokenBucket, Algorithm::SlidingWindow] {
        let limit = limit(1, 1.0, Mode::Wait { max_wait: Duration::from_secs(3) }, algorithm);
        let turns: Vec<_> = (0..4).map(|_| take(&limit, 0.0).map(|wait| wait.as_secs())).collect();
        assert_eq!(turns, [Ok(0), Ok(1), Ok(2), Ok(3)], "{algorithm:?}");
        let refused = TooMany { retry_after: Duration::from_secs(4) };
        assert_eq!(take(&limit, 0.0), Err(refused), "{algorithm:?}");
        assert_eq!(take(&limit, 0.0), Err(refused), "{algorithm:?}: a refusal spends nothing");
    }
}

#[test]
fn b18_a_call_that_takes_more_than_the_capacity_is_a_mistake_in_the_configuration() {
    let mut policy = policy::profile("eSignature").unwrap();
    policy.limit.as_mut().unwrap().weight = 21;
    let found = policy.conflicts();
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].at, &*found[0].message),
        ("limit.weight", "a call that takes 21 never fits a capacity of 20")
    );
}

proptest! {
    /// What starts in any stretch of time is at most the burst and the refill of that stretch.
    #[test]
    fn a_bucket_holds_its_rate(steps in proptest::collection::vec(0u64..SECOND, 1..400), capacity in 1u32..20) {
        let limit = limit(capacity, 10.0, Mode::Wait { max_wait: Duration::from_secs(1) }, Algorithm::TokenBucket);
        let mut now = 0;
        let mut starts = Vec::new();
        for step in steps {
            now += step / 16;
            if let Ok(wait) = limit.take(Tick::from_nanos(now), Tick::default(), None) {
                starts.push(now + nanos(wait));
            }
        }
        for (first, from) in starts.iter().enumerate() {
            let allowed = |until: u64| u64::from(capacity) + (until - from) * 10 / SECOND + 1;
            for (last, until) in starts.iter().enumerate().skip(first).filter(|(_, until)| *until >= from) {
                prop_assert!((last - first + 1) as u64 <= allowed(*until));
            }
        }
    }

    /// In every window at most `capacity` calls start, whether they waited or not.
    #[test]
    fn a_sliding_window_is_exact(steps in proptest::collection::vec(0u64..SECOND, 1..400), capacity in 1u32..20) {
        let mode = Mode::Wait { max_wait: Duration::from_secs(1) };
        let limit = limit(capacity, f64::from(capacity), mode, Algorithm::SlidingWindow);
        let mut now = 0;
        let mut starts = Vec::new();
        for step in steps {
            now += step / 16;
            if let Ok(wait) = limit.take(Tick::from_nanos(now), Tick::default(), None) {
                starts.push(now + nanos(wait));
            }
        }
        for (call, start) in starts.iter().enumerate().skip(capacity as usize) {
            prop_assert!(start - starts[call - capacity as usize] >= SECOND);
        }
    }
}
