//! What a half-open breaker learns from its probes.

use std::num::NonZeroU32;
use std::time::Duration;

use guard::{Breaker, Class, Classify, HalfOpen, Policy, Retry, Sign, State};
use port::{Fault, Kind, Landed, Reply};

use crate::fixture::{World, bare, fault, seconds};

fn policy() -> Policy {
    let breaker =
        Breaker { consecutive_failures: NonZeroU32::new(1), open_jitter: 0.0, ..Breaker::default() };
    let retry = Retry { max_attempts: NonZeroU32::MIN, ..Retry::default() };
    Policy { breaker: Some(breaker), retry, ..bare() }
}

/// The state after a probe that came back with `told`.
async fn after_a_probe(policy: Policy, told: Fault) -> State {
    let world = World::new(policy, move |number, _| {
        let told = if number == 1 { fault(Kind::Connect, Landed::No) } else { told.clone() };
        async move { Err(told) }
    });
    world.call("post").await.unwrap_err();
    tokio::time::sleep(seconds(60)).await;
    let told = world.call("post").await.unwrap_err();
    assert_eq!(told.rejection, None, "it was let out");
    world.guarded.status().lanes[0].state
}

/// An hour of 404s must not keep every second call in.
#[tokio::test(start_paused = true)]
async fn a_system_that_turns_a_probe_down_is_back() {
    let kinds = [Kind::Refused, Kind::Unauthorised, Kind::NotFound, Kind::Conflict, Kind::Invalid];
    for kind in kinds {
        let told = fault(kind, Landed::No).status(404);
        assert_eq!(after_a_probe(policy(), told).await, State::Closed, "{kind:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_nobody_answered_says_nothing() {
    for kind in [Kind::Invalid, Kind::Internal, Kind::Protocol] {
        assert_eq!(after_a_probe(policy(), fault(kind, Landed::No)).await, State::HalfOpen, "{kind:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_said_to_say_nothing_says_nothing_of_a_probe_either() {
    let mut classify = Classify::default();
    classify.differ([(Sign::Status(500), Class::Neutral)]);
    let told = fault(Kind::Unavailable, Landed::No).status(500);
    assert_eq!(after_a_probe(Policy { classify, ..policy() }, told).await, State::HalfOpen);
}

#[test]
fn probes_must_be_given_time_to_come_back() {
    let half_open = HalfOpen { max_wait: Duration::ZERO, ..HalfOpen::default() };
    let policy = Policy { breaker: Some(Breaker { half_open, ..Breaker::default() }), ..bare() };
    let keys: Vec<_> = policy.conflicts().into_iter().map(|conflict| conflict.at).collect();
    assert_eq!(keys, ["breaker.half_open.max_wait"]);
}

#[tokio::test(start_paused = true)]
async fn so_many_bad_probes_are_borne() {
    for (percent, state) in [(24, State::Open), (25, State::HalfOpen)] {
        let half_open =
            HalfOpen { permits: 1, success_threshold: 4, failure_percent: percent, ..HalfOpen::default() };
        let system = policy();
        let breaker = system.breaker.clone().map(|breaker| Breaker { half_open, ..breaker });
        let told = fault(Kind::Unavailable, Landed::No).status(500);
        assert_eq!(after_a_probe(Policy { breaker, ..system }, told).await, state, "{percent} % of four");
    }
}

#[tokio::test(start_paused = true)]
async fn b17_failures_in_a_row_are_counted_in_a_row() {
    let breaker =
        Breaker { consecutive_failures: NonZeroU32::new(5), error_rate: None, ..Breaker::default() };
    let world = World::new(Policy { breaker: Some(breaker), ..policy() }, |number, _| async move {
        if number == 5 { Ok(Reply::default()) } else { Err(fault(Kind::Connect, Landed::No)) }
    });
    for _ in 0..9 {
        let _ = world.call("post").await;
    }
    assert_eq!(world.guarded.status().lanes[0].state, State::Closed, "four, a success, four");
    world.call("post").await.unwrap_err();
    assert_eq!(world.guarded.status().lanes[0].state, State::Open, "five");
}
