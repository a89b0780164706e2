//! What retries and copies cost, and that only what was sent is paid for.

use std::num::NonZeroU32;

use guard::{Breaker, Budget, Bulkhead, Hedge, Jitter, Policy, Retry};
use port::{Kind, Landed, Rejection, Reply};

use crate::fixture::{World, bare, fault, seconds};

const FULL: u32 = 500;

#[tokio::test(start_paused = true)]
async fn a_retry_that_was_sent_is_paid_for_and_one_that_succeeds_gets_it_back() {
    let world = World::new(bare(), |number, _| async move {
        if number % 3 == 0 { Ok(Reply::default()) } else { Err(fault(Kind::Unavailable, Landed::No)) }
    });
    world.call("read").await.unwrap();
    assert_eq!(world.guarded.status().budget, FULL - Budget::default().cost, "the second of two retries won");
}

#[tokio::test(start_paused = true)]
async fn a_retry_that_the_breaker_keeps_in_spends_nothing() {
    let breaker = Breaker { consecutive_failures: NonZeroU32::new(1), ..Breaker::default() };
    let world = World::new(Policy { breaker: Some(breaker), ..bare() }, |_, _| async {
        Err(fault(Kind::Connect, Landed::No))
    });
    let fault = world.call("read").await.unwrap_err();
    assert_eq!((fault.rejection, fault.attempts), (Some(Rejection::BreakerOpen), 1));
    assert_eq!(world.guarded.status().budget, FULL);
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_goes_away_before_its_retry_spends_nothing() {
    let retry = Retry { initial: seconds(10), jitter: Jitter::None, ..Retry::default() };
    let world =
        World::new(Policy { retry, ..bare() }, |_, _| async { Err(fault(Kind::Connect, Landed::No)) });
    for _ in 0..35 {
        let gone = tokio::time::timeout(seconds(1), world.call("read")).await;
        assert!(gone.is_err(), "it left while it waited");
    }
    assert_eq!((world.calls(), world.guarded.status().budget), (35, FULL));
}

#[tokio::test(start_paused = true)]
async fn a_copy_that_the_bulkhead_turns_away_spends_nothing() {
    let retry = Retry { max_attempts: NonZeroU32::MIN, ..Retry::default() };
    let bulkhead = Bulkhead { max_in_flight: 1, queue: 0, ..Bulkhead::default() };
    let hedge = Some(Hedge { after: seconds(1), max: 2 });
    let world = World::new(Policy { bulkhead: Some(bulkhead), hedge, retry, ..bare() }, |_, _| async {
        tokio::time::sleep(seconds(2)).await;
        Ok(Reply::default())
    });
    for _ in 0..10 {
        world.call("read").await.unwrap();
    }
    assert_eq!((world.calls(), world.guarded.status().budget), (10, FULL));
}
