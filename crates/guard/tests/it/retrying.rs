//! What is tried again, how often, and what the caller is told.

use std::num::NonZeroU32;
use std::time::Duration;

use guard::{Budget, Jitter, Policy, Retry};
use port::{Kind, Landed, Rejection, Reply};

use crate::fixture::{World, bare, fault, hang, seconds};

fn attempts(most: u32) -> Policy {
    let max_attempts = NonZeroU32::new(most).unwrap();
    Policy { retry: Retry { max_attempts, jitter: Jitter::None, ..Retry::default() }, ..bare() }
}

#[tokio::test(start_paused = true)]
async fn b16_a_failing_call_is_really_tried_again_and_says_how_often() {
    let world = World::new(attempts(4), |number, _| async move {
        if number < 3 { Err(fault(Kind::Unavailable, Landed::Unknown)) } else { Ok(Reply::default()) }
    });
    let reply = world.call("read").await.unwrap();
    assert_eq!((world.calls(), reply.attempts), (3, 3));
    let heard = world.ear.heard();
    let expected = [
        "started",
        "unavailable",
        "retry in 50ms",
        "started",
        "unavailable",
        "retry in 100ms",
        "started",
        "good",
        "finished after 3",
    ];
    assert_eq!(heard, expected);
}

#[tokio::test(start_paused = true)]
async fn b16_the_fault_carries_attempts_and_status() {
    let world =
        World::new(attempts(4), |_, _| async { Err(fault(Kind::Unavailable, Landed::No).status(503)) });
    let fault = world.call("post").await.unwrap_err();
    assert_eq!((fault.attempts, fault.status, fault.kind), (4, Some(503), Kind::Unavailable));
}

#[tokio::test(start_paused = true)]
async fn b19_nothing_that_may_have_landed_is_sent_twice_without_a_key() {
    let unknown = |_, _| async { Err(fault(Kind::Timeout, Landed::Unknown)) };
    let world = World::new(attempts(4), unknown);
    let calls = |world: &World, before| world.calls() - before;
    assert_eq!(world.call("post").await.unwrap_err().landed, Landed::Unknown);
    assert_eq!(calls(&world, 0), 1, "never");
    world.call("charge").await.unwrap_err();
    assert_eq!(calls(&world, 1), 1, "keyed, but no key was sent");
    world.keyed("charge").await.unwrap_err();
    assert_eq!(calls(&world, 2), 4, "keyed");
    world.call("read").await.unwrap_err();
    assert_eq!(calls(&world, 6), 4, "safe");
}

#[tokio::test(start_paused = true)]
async fn b19_defects_and_refusals_are_not_tried_again() {
    let passing = [Kind::Connect, Kind::Timeout, Kind::Throttled, Kind::Unavailable];
    for kind in Kind::ALL.into_iter().filter(|kind| !passing.contains(kind)) {
        let world = World::new(attempts(4), move |_, _| async move { Err(fault(kind, Landed::No)) });
        world.call("read").await.unwrap_err();
        assert_eq!(world.calls(), 1, "{kind:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_worst_that_any_attempt_may_have_left_is_what_landed() {
    let world = World::new(attempts(2), |number, _| async move {
        let landed = if number == 1 { Landed::Unknown } else { Landed::No };
        Err(fault(Kind::Connect, landed))
    });
    let fault = world.keyed("charge").await.unwrap_err();
    assert_eq!((fault.attempts, fault.landed), (2, Landed::Unknown));
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_is_waited_for_or_handed_on() {
    let throttled = |after| {
        move |number, _| async move {
            if number == 1 {
                Err(fault(Kind::Throttled, Landed::No).after(Some(seconds(after))))
            } else {
                Ok(Reply::default())
            }
        }
    };
    let world = World::new(attempts(3), throttled(5));
    let started = tokio::time::Instant::now();
    world.call("post").await.unwrap();
    assert_eq!(started.elapsed().as_secs(), 5);
    let world = World::new(attempts(3), throttled(600));
    let fault = world.call("post").await.unwrap_err();
    assert_eq!((fault.retry_after, fault.attempts), (Some(seconds(600)), 1));
}

#[tokio::test(start_paused = true)]
async fn while_the_system_asked_for_a_pause_nothing_is_sent() {
    let world = World::new(attempts(1), |_, _| async {
        Err(fault(Kind::Throttled, Landed::No).after(Some(seconds(60))))
    });
    world.call("post").await.unwrap_err();
    let fault = world.call("read").await.unwrap_err();
    assert_eq!((fault.rejection, fault.attempts), (Some(Rejection::RateLimited), 0));
    assert!(fault.retry_after.is_some_and(|after| after <= seconds(60) && after > seconds(59)));
    assert_eq!(world.calls(), 1);
    tokio::time::advance(seconds(60)).await;
    world.call("read").await.unwrap_err();
    assert_eq!(world.calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_pause_is_no_longer_than_a_breaker_would_stay_open() {
    let breaker = guard::Breaker { max_open: seconds(90), ..guard::Breaker::default() };
    for (breaker, longest) in [(None, "pause of 300s"), (Some(breaker), "pause of 90s")] {
        let world = World::new(Policy { breaker, ..attempts(1) }, |_, _| async {
            Err(fault(Kind::Throttled, Landed::No).after(Some(seconds(3_600))))
        });
        world.call("post").await.unwrap_err();
        assert_eq!(world.ear.count(longest), 1, "{:?}", world.ear.heard());
    }
}

#[tokio::test(start_paused = true)]
async fn a_spent_budget_ends_retries_at_once() {
    let budget = Budget { capacity: 30, cost: 14, cost_throttled: 5, refund: 1 };
    let policy = attempts(10);
    let policy = Policy { retry: Retry { budget, ..policy.retry }, ..policy };
    let world = World::new(policy, |_, _| async { Err(fault(Kind::Unavailable, Landed::No)) });
    assert_eq!(world.call("read").await.unwrap_err().attempts, 3, "two retries for 28 tokens");
    assert_eq!(world.call("read").await.unwrap_err().attempts, 1);
    assert_eq!(world.guarded.status().budget, 2);
    assert_eq!(world.ear.count("budget spent"), 2);
}

#[tokio::test(start_paused = true)]
async fn the_deadline_bounds_everything_and_the_adapter_is_told() {
    let policy = Policy { deadline: Some(seconds(10)), attempt_timeout: seconds(4), ..attempts(100) };
    let world = World::new(policy, |_, ctx| async move {
        assert!(ctx.remaining().unwrap() <= seconds(4));
        hang().await
    });
    let started = tokio::time::Instant::now();
    let fault = world.call("read").await.unwrap_err();
    assert_eq!((fault.kind, fault.landed, fault.attempts), (Kind::Timeout, Landed::Unknown, 3));
    assert_eq!(started.elapsed().as_secs(), 10);
    assert_eq!(world.inside(), 0, "what was out is dropped");
}

#[tokio::test(start_paused = true)]
async fn no_attempt_starts_that_cannot_finish() {
    let world = World::new(attempts(1), |_, _| async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        Ok(Reply::default())
    });
    for _ in 0..20 {
        world.call("read").await.unwrap();
    }
    let ctx = world.ctx().within(Duration::from_millis(40));
    let fault = port::Link::call(&*world.guarded, &ctx, crate::fixture::call("read")).await.unwrap_err();
    assert_eq!((fault.rejection, fault.landed), (Some(Rejection::DeadlineTooNear), Landed::No));
    assert_eq!(world.calls(), 20);
}

#[tokio::test(start_paused = true)]
async fn a_slow_operation_does_not_keep_a_quick_one_with_a_short_deadline_away() {
    let world = World::new(attempts(1), |number, _| async move {
        tokio::time::sleep(Duration::from_millis(if number <= 50 { 10_000 } else { 5 })).await;
        Ok(Reply::default())
    });
    for _ in 0..50 {
        world.call("post").await.unwrap();
    }
    let ctx = world.ctx().within(Duration::from_millis(500));
    port::Link::call(&*world.guarded, &ctx, crate::fixture::call("read")).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn b37_a_duration_is_how_long_it_took() {
    let world = World::new(attempts(2), |number, _| async move {
        tokio::time::sleep(Duration::from_millis(250)).await;
        if number == 1 { Err(fault(Kind::Unavailable, Landed::No)) } else { Ok(Reply::default()) }
    });
    world.call("read").await.unwrap();
    let millis: Vec<_> = world.ear.durations().iter().map(Duration::as_millis).collect();
    assert_eq!(millis, [250, 250, 550], "two attempts, and the call with the wait of 50 ms between them");
}

/// Attempts per call offered while the system is down for ten seconds at 200 calls a second.
async fn amplification(policy: Policy) -> f64 {
    let world =
        std::sync::Arc::new(World::new(policy, |_, _| async { Err(fault(Kind::Unavailable, Landed::No)) }));
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..2_000 {
        let world = std::sync::Arc::clone(&world);
        calls.spawn(async move { world.call("read").await });
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    calls.join_all().await;
    assert_eq!(world.inside(), 0);
    f64::from(world.calls()) / 2_000.0
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_not_amplified() {
    let with_budget = amplification(attempts(3)).await;
    assert!(with_budget <= 1.10, "{with_budget} with the budget alone");
    let policy = Policy { breaker: Policy::default().breaker, ..attempts(3) };
    let with_breaker = amplification(policy).await;
    assert!(with_breaker <= 0.05, "{with_breaker} with the breaker");
}
