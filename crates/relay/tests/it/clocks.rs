//! A wall clock that was wrong keeps nothing waiting.

use std::time::Duration;

use jiff::SignedDuration;
use port::Outlook;

use crate::world::{Does, World, busy, message};

#[tokio::test(start_paused = true)]
async fn nothing_waits_for_a_time_that_a_clock_ahead_has_set() {
    let world = World::of(["crm"]);
    let mut left = 1;
    world.system("crm").behaves(move |_| match left {
        0 => Does::Answers(Duration::ZERO),
        _ => {
            left -= 1;
            Does::Fails(busy())
        }
    });
    world.clock.jump(SignedDuration::from_hours(5));
    world.tells(&[message("crm.keyed", "a", "1")]).await;
    world.passes(Duration::from_millis(10)).await;
    world.clock.jump(SignedDuration::from_hours(-5));
    world.passes(Duration::from_secs(61)).await;
    assert_eq!(world.system("crm").effects(), ["a/1"]);
}

#[tokio::test(start_paused = true)]
async fn nor_after_a_restart_with_the_clock_put_right() {
    let mut world = World::of(["crm"]);
    *world.system("crm").outlook.lock() = Outlook::Closed(Duration::from_secs(20));
    world.clock.jump(SignedDuration::from_hours(5));
    world.tells(&[message("crm.keyed", "a", "1")]).await;
    world.passes(Duration::from_millis(10)).await;
    *world.system("crm").outlook.lock() = Outlook::Open;
    world.clock.jump(SignedDuration::from_hours(-5));
    world.dies_and_restarts().await;
    world.passes(Duration::from_secs(1)).await;
    assert_eq!(world.system("crm").effects(), ["a/1"]);
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_forward_is_noticed_within_a_minute() {
    let world = World::of(["crm"]);
    *world.system("crm").outlook.lock() = Outlook::Closed(Duration::from_secs(60));
    world.tells(&[message("crm.keyed", "a", "1")]).await;
    world.passes(Duration::from_millis(10)).await;
    *world.system("crm").outlook.lock() = Outlook::Open;
    world.clock.jump(SignedDuration::from_hours(5));
    world.passes(Duration::from_secs(61)).await;
    assert_eq!(world.system("crm").effects(), ["a/1"]);
}
