//! Callers that have little time: what they may ask, and that their haste is not the system's fault.

use std::num::NonZeroU32;
use std::time::Duration;

use guard::{Algorithm, Breaker, Bulkhead, Limit, Mode, Policy, Retry, State};
use port::{Fault, Kind, Link, Rejection, Reply};

use crate::fixture::{World, bare, call, hang};

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn policy() -> Policy {
    let breaker = Breaker { error_rate: None, ..Breaker::default() };
    let retry = Retry { max_attempts: NonZeroU32::MIN, ..Retry::default() };
    Policy { breaker: Some(breaker), retry, ..bare() }
}

/// Answers after so many milliseconds, by the number of the call.
fn taking(policy: Policy, time: impl Fn(u32) -> u64 + Send + Sync + 'static) -> World {
    World::new(policy, move |number, _| {
        let time = millis(time(number));
        async move {
            tokio::time::sleep(time).await;
            Ok(Reply::default())
        }
    })
}

async fn within(world: &World, time: u64) -> Result<Reply, Fault> {
    let ctx = world.ctx().within(millis(time));
    world.guarded.call(&ctx, call("read")).await
}

#[tokio::test(start_paused = true)]
async fn a_cold_first_answer_keeps_no_hasty_caller_away() {
    let world = taking(policy(), |number| if number == 1 { 2_000 } else { 50 });
    for _ in 0..15 {
        world.call("read").await.unwrap();
    }
    for _ in 0..100 {
        within(&world, 500).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn hasty_callers_open_nothing_while_nobody_knows_how_long_it_takes() {
    let world = taking(policy(), |_| 50);
    for _ in 0..20 {
        assert_eq!(within(&world, 5).await.unwrap_err().kind, Kind::Timeout);
    }
    world.call("read").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_timeout_counts_when_the_system_had_twice_its_usual_time() {
    for (time, state) in [(150, State::Closed), (250, State::Open)] {
        let world = World::new(policy(), |number, _| async move {
            if number > 15 {
                return hang().await;
            }
            tokio::time::sleep(millis(100)).await;
            Ok(Reply::default())
        });
        for _ in 0..15 {
            world.call("read").await.unwrap();
        }
        for _ in 0..5 {
            assert_eq!(within(&world, time).await.unwrap_err().kind, Kind::Timeout);
        }
        assert_eq!(world.guarded.status().lanes[0].state, state, "{time} ms");
    }
}

#[tokio::test(start_paused = true)]
async fn a_system_that_hangs_from_the_start_is_down_for_hasty_callers_too() {
    let world = World::new(policy(), |_, _| hang());
    for _ in 0..5 {
        within(&world, 3_000).await.unwrap_err();
    }
    assert_eq!(world.guarded.status().lanes[0].state, State::Open, "a tenth of 30 s is time enough");
}

/// One call a second, and who comes too early waits.
fn one_a_second() -> Policy {
    let mode = Mode::Wait { max_wait: millis(10_000) };
    let (capacity, refill_per_second, algorithm) = (1, 1.0, Algorithm::TokenBucket);
    let limit = Limit {
        per: guard::Per::System,
        capacity,
        refill_per_second,
        weight: 1,
        mode,
        algorithm,
        shared: None,
    };
    Policy { limit: Some(limit), ..policy() }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_could_not_be_answered_in_time_takes_no_turn() {
    let world = taking(one_a_second(), |_| 500);
    for _ in 0..20 {
        world.call("read").await.unwrap();
    }
    let started = tokio::time::Instant::now();
    let fault = within(&world, 800).await.unwrap_err();
    assert_eq!((fault.rejection, started.elapsed()), (Some(Rejection::RateLimited), Duration::ZERO));
    world.call("read").await.unwrap();
    assert_eq!(started.elapsed(), millis(1_000), "its turn came after 500 ms, as if nobody had asked");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_could_not_be_answered_in_time_leaves_the_queue() {
    let bulkhead = Bulkhead { max_in_flight: 1, max_wait: millis(60_000), ..Bulkhead::default() };
    let policy = Policy { bulkhead: Some(bulkhead), ..policy() };
    let world = taking(policy, |number| if number <= 15 { 100 } else { 5_000 });
    for _ in 0..15 {
        world.call("read").await.unwrap();
    }
    let started = tokio::time::Instant::now();
    let hasty = async {
        let fault = within(&world, 1_000).await.unwrap_err();
        (fault.rejection, started.elapsed())
    };
    let (_, told) = tokio::join!(world.call("read"), hasty);
    assert_eq!(told, (Some(Rejection::BulkheadFull), millis(900)));
}

/// While it waits, the calls before it teach that it will take longer than was thought.
#[tokio::test(start_paused = true)]
async fn who_has_waited_too_long_is_not_sent() {
    let queue = Bulkhead { max_in_flight: 1, max_wait: millis(60_000), ..Bulkhead::default() };
    let waits = [(Policy { bulkhead: Some(queue), ..policy() }, 898, 1_000), (one_a_second(), 500, 1_102)];
    for (policy, ahead, time) in waits {
        let world = taking(policy, move |number| if number <= 20 { 100 } else { ahead });
        for _ in 0..20 {
            world.call("read").await.unwrap();
        }
        tokio::time::sleep(millis(900)).await;
        let (first, hasty) = tokio::join!(world.call("read"), within(&world, time));
        first.unwrap();
        assert_eq!((hasty.unwrap_err().rejection, world.calls()), (Some(Rejection::DeadlineTooNear), 21));
    }
}
