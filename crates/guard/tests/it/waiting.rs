//! Places and tokens: who waits, who is turned away, and that nothing leaks.

use std::sync::Arc;
use std::time::Duration;

use guard::{Adaptive, Algorithm, Bulkhead, Limit, Mode, Per, Policies, Policy, Priority};
use port::{Rejection, Reply};

use crate::fixture::{World, bare, seconds};

fn crowd(max_in_flight: u32, queue: u32) -> Policy {
    let bulkhead = Bulkhead { max_in_flight, queue, max_wait: seconds(5), ..Bulkhead::default() };
    Policy { bulkhead: Some(bulkhead), ..bare() }
}

fn spawn(world: &Arc<World>) -> tokio::task::JoinHandle<Result<Reply, port::Fault>> {
    let world = Arc::clone(world);
    tokio::spawn(async move { world.call("read").await })
}

fn slow(policy: impl Into<Policies>) -> Arc<World> {
    Arc::new(World::new(policy, |_, _| async {
        tokio::time::sleep(seconds(1)).await;
        Ok(Reply::default())
    }))
}

#[tokio::test(start_paused = true)]
async fn so_many_are_out_so_many_wait_and_the_rest_is_turned_away() {
    let world = slow(crowd(2, 3));
    let calls: Vec<_> = (0..8).map(|_| spawn(&world)).collect();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let lane = world.guarded.status().lanes.remove(0);
    assert_eq!((lane.in_flight, lane.queued, world.inside()), (2, 3, 2));
    let mut turned_away = 0;
    for call in calls {
        let rejection = call.await.unwrap().err().map(|fault| fault.rejection);
        turned_away += usize::from(rejection == Some(Some(Rejection::BulkheadFull)));
    }
    assert_eq!((turned_away, world.calls()), (3, 5));
    let lane = world.guarded.status().lanes.remove(0);
    assert_eq!((lane.in_flight, lane.queued), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn places_and_queue_are_given_back_whoever_goes_away_when() {
    let world = slow(crowd(3, 10));
    for round in 0..200u64 {
        let calls: Vec<_> = (0..13).map(|_| spawn(&world)).collect();
        tokio::time::sleep(Duration::from_millis(round * 17 % 2_300)).await;
        calls.iter().step_by(2).for_each(|call| call.abort());
        for call in calls {
            let _ = call.await;
        }
        let lane = world.guarded.status().lanes.remove(0);
        assert_eq!((lane.in_flight, lane.queued, world.inside()), (0, 0, 0), "round {round}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_gives_up_leaves_the_queue_at_once() {
    let bulkhead = guard::bulkhead::Bulkhead::new(&crowd(1, 1).bulkhead.unwrap());
    let _inside = bulkhead.try_enter().unwrap();
    for _ in 0..3 {
        let gone = tokio::time::timeout(seconds(1), bulkhead.enter(Priority::Normal, None)).await;
        assert!(gone.is_err(), "it waited");
        assert_eq!(bulkhead.queued(), 0);
        let late = bulkhead.enter(Priority::Normal, Some(seconds(1))).await;
        assert!(late.is_err());
        assert_eq!(bulkhead.queued(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn the_more_urgent_goes_first() {
    let bulkhead = guard::bulkhead::Bulkhead::new(&crowd(1, 10).bulkhead.unwrap());
    let first = bulkhead.try_enter().unwrap();
    let order = Arc::new(std::sync::Mutex::new(Vec::new()));
    let mut waiting = Vec::new();
    for priority in [Priority::Low, Priority::Normal, Priority::High, Priority::Normal] {
        let (bulkhead, order) = (Arc::clone(&bulkhead), Arc::clone(&order));
        waiting.push(tokio::spawn(async move {
            let _place = bulkhead.enter(priority, None).await.unwrap();
            order.lock().unwrap().push(priority);
        }));
        tokio::task::yield_now().await;
    }
    drop(first);
    for call in waiting {
        call.await.unwrap();
    }
    let order = order.lock().unwrap().clone();
    assert_eq!(order, [Priority::High, Priority::Normal, Priority::Normal, Priority::Low]);
    assert_eq!((bulkhead.in_flight(), bulkhead.queued()), (0, 0));
}

/// `post` is bulk work, `read` somebody waits for.
#[tokio::test(start_paused = true)]
async fn in_a_full_queue_the_less_urgent_makes_room() {
    let system = Policy { priority: Priority::Low, ..crowd(1, 2) };
    let read = Policy { priority: Priority::High, ..system.clone() };
    let world = slow(Policies { system, operations: [("read".into(), read)].into() });
    let mut calls = Vec::new();
    for operation in ["post", "post", "post", "read", "read", "read"] {
        let world = Arc::clone(&world);
        calls.push(tokio::spawn(async move { world.call(operation).await }));
        tokio::task::yield_now().await;
    }
    let lane = world.guarded.status().lanes.remove(0);
    assert_eq!((lane.in_flight, lane.queued), (1, 2));
    let late = world.call("post").await.unwrap_err();
    assert_eq!(late.rejection, Some(Rejection::BulkheadFull), "it is no more urgent than those who wait");
    let mut passed = Vec::new();
    for call in calls {
        passed.push(call.await.unwrap().is_ok());
    }
    assert_eq!(passed, [true, false, false, true, true, false], "nor is a third urgent one");
    let lane = world.guarded.status().lanes.remove(0);
    assert_eq!((lane.in_flight, lane.queued, world.calls()), (0, 0, 3));
}

#[tokio::test(start_paused = true)]
async fn more_places_let_waiters_in_at_once() {
    let bulkhead = guard::bulkhead::Bulkhead::new(&crowd(1, 10).bulkhead.unwrap());
    let _first = bulkhead.try_enter().unwrap();
    let waiting: Vec<_> = (0..3)
        .map(|_| {
            let bulkhead = Arc::clone(&bulkhead);
            tokio::spawn(async move { bulkhead.enter(Priority::Normal, None).await.map(std::mem::forget) })
        })
        .collect();
    tokio::task::yield_now().await;
    bulkhead.resize(3);
    tokio::task::yield_now().await;
    assert_eq!((bulkhead.in_flight(), bulkhead.queued()), (3, 1));
    waiting.iter().for_each(|call| call.abort());
}

#[tokio::test(start_paused = true)]
async fn as_many_are_out_as_the_system_turns_out_to_take() {
    let adaptive = Some(Adaptive::default());
    let bulkhead =
        Bulkhead { max_in_flight: 100, queue: 100, max_wait: seconds(60), adaptive, ..Bulkhead::default() };
    let world = Arc::new(World::new(Policy { bulkhead: Some(bulkhead), ..bare() }, |_, _| async {
        tokio::time::sleep(Duration::from_millis(10)).await;
        Ok(Reply::default())
    }));
    let places = || world.guarded.status().lanes[0].max_in_flight;
    assert_eq!(places(), Some(16), "where it starts");
    for _ in 0..50 {
        let calls: Vec<_> = (0..100).map(|_| spawn(&world)).collect();
        for call in calls {
            call.await.unwrap().unwrap();
        }
    }
    assert_eq!(places(), Some(100));
}

/// An operation with its own deadline still stands in the system's one queue.
#[tokio::test(start_paused = true)]
async fn an_operation_with_other_numbers_shares_the_systems_places() {
    let system = crowd(1, 0);
    let read = Policy { deadline: Some(seconds(60)), ..system.clone() };
    let world = slow(Policies { system, operations: [("read".into(), read)].into() });
    let first = spawn(&world);
    tokio::task::yield_now().await;
    let other = world.call("post").await.unwrap_err();
    assert_eq!(other.rejection, Some(Rejection::BulkheadFull));
    first.await.unwrap().unwrap();
}

fn limited(mode: Mode) -> Policy {
    let limit = Limit {
        per: Per::System,
        capacity: 2,
        refill_per_second: 1.0,
        weight: 1,
        mode,
        algorithm: Algorithm::TokenBucket,
        shared: None,
    };
    Policy { limit: Some(limit), ..bare() }
}

#[tokio::test(start_paused = true)]
async fn a_rate_is_kept_by_waiting_or_by_saying_no() {
    let answer = |_, _| async { Ok(Reply::default()) };
    let world = World::new(limited(Mode::Reject), answer);
    world.call("read").await.unwrap();
    world.call("read").await.unwrap();
    let fault = world.call("read").await.unwrap_err();
    assert_eq!(fault.rejection, Some(Rejection::RateLimited));
    assert!(fault.retry_after.is_some_and(|after| after <= seconds(1)));
    let world = World::new(limited(Mode::Wait { max_wait: seconds(3) }), answer);
    let started = tokio::time::Instant::now();
    for _ in 0..4 {
        world.call("read").await.unwrap();
    }
    assert_eq!(started.elapsed().as_secs(), 2);
}
