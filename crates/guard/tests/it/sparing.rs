//! Answers used again, items sent together, sources that pause.

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use guard::batch::{Batcher, batcher};
use guard::{Batch, Breaker, Cache, Policy, Retry};
use port::{Fault, Kind, Landed, Reply};

use crate::fixture::{World, bare, fault, seconds};

fn cached(entries: u32) -> Policy {
    let cache = Cache { ttl: seconds(10), stale: seconds(60), entries: NonZeroU32::new(entries).unwrap() };
    let retry = Retry { max_attempts: NonZeroU32::MIN, ..Retry::default() };
    Policy { cache: Some(cache), retry, ..bare() }
}

#[tokio::test(start_paused = true)]
async fn one_question_at_a_time_and_its_answer_for_everyone() {
    let world = Arc::new(World::new(cached(10), |_, _| async {
        tokio::time::sleep(seconds(1)).await;
        Ok(Reply::default())
    }));
    let calls: Vec<_> = (0..50)
        .map(|_| {
            let world = Arc::clone(&world);
            tokio::spawn(async move { world.call("read").await })
        })
        .collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!(world.calls(), 1);
    tokio::time::advance(seconds(10)).await;
    world.call("read").await.unwrap();
    assert_eq!(world.calls(), 2, "not fresh any more");
    world.call("post").await.unwrap();
    world.call("post").await.unwrap();
    assert_eq!(world.calls(), 4, "only safe operations are cached");
}

#[tokio::test(start_paused = true)]
async fn a_stale_answer_is_served_while_the_system_is_away_and_no_longer() {
    let world = World::new(cached(10), |number, _| async move {
        if number == 1 { Ok(Reply::default()) } else { Err(fault(Kind::Unavailable, Landed::No)) }
    });
    world.call("read").await.unwrap();
    tokio::time::advance(seconds(69)).await;
    world.call("read").await.unwrap();
    tokio::time::advance(seconds(1)).await;
    world.call("read").await.unwrap_err();
    assert_eq!(world.calls(), 3);
}

#[tokio::test(start_paused = true)]
async fn who_waited_for_a_call_that_failed_does_not_ask_again() {
    let world = Arc::new(World::new(cached(10), |_, _| async {
        tokio::time::sleep(seconds(1)).await;
        Err(fault(Kind::Unavailable, Landed::No))
    }));
    let calls: Vec<_> = (0..50)
        .map(|_| {
            let world = Arc::clone(&world);
            tokio::spawn(async move { world.call("read").await })
        })
        .collect();
    for call in calls {
        call.await.unwrap().unwrap_err();
    }
    assert_eq!(world.calls(), 1);
    world.call("read").await.unwrap_err();
    assert_eq!(world.calls(), 2, "who comes later asks");
}

#[tokio::test(start_paused = true)]
async fn when_the_one_who_asks_goes_away_the_next_one_asks() {
    let world = Arc::new(World::new(cached(10), |_, _| async {
        tokio::time::sleep(seconds(1)).await;
        Ok(Reply::default())
    }));
    let first = {
        let world = Arc::clone(&world);
        tokio::spawn(async move { world.call("read").await })
    };
    tokio::task::yield_now().await;
    let second = {
        let world = Arc::clone(&world);
        tokio::spawn(async move { world.call("read").await })
    };
    tokio::task::yield_now().await;
    first.abort();
    second.await.unwrap().unwrap();
    assert_eq!((world.calls(), world.inside()), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn no_tenant_sees_the_answer_of_another_and_old_answers_make_room() {
    let world =
        World::new(
            cached(2),
            |number, _| async move { Ok(Reply { output: number.into(), ..Reply::default() }) },
        );
    for (tenant, expected) in [("a", 1), ("b", 2), ("a", 1), ("c", 3), ("b", 2), ("a", 4)] {
        tokio::time::advance(Duration::from_millis(1)).await;
        let ctx = port::Ctx { tenant: tenant.into(), ..world.ctx() };
        let reply = port::Link::call(&*world.guarded, &ctx, crate::fixture::call("read")).await.unwrap();
        assert_eq!(reply.output, expected, "{tenant}");
    }
}

/// A worker and how to end it.
struct Running {
    stop: tokio::sync::oneshot::Sender<()>,
    worker: tokio::task::JoinHandle<()>,
}

type Sent = Arc<Mutex<Vec<Vec<u32>>>>;

/// A system that doubles numbers, refuses batches with a 13 in them, and is away for batches with a 99.
fn doubling(policy: &Batch) -> (Batcher<u32, u32>, Running, Sent) {
    let sent = Sent::default();
    let log = Arc::clone(&sent);
    let (batcher, worker) = batcher(policy, move |items: Vec<u32>| {
        log.lock().unwrap().push(items.clone());
        async move {
            if items.contains(&99) {
                return Err(fault(Kind::Timeout, Landed::Unknown));
            }
            if items.contains(&13) {
                return Err(fault(Kind::Invalid, Landed::No));
            }
            Ok(items.into_iter().map(|item| item * 2).collect())
        }
    });
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let worker = tokio::spawn(worker.run(async move { stopped.await.unwrap_or_default() }));
    (batcher, Running { stop, worker }, sent)
}

fn push(batcher: &Batcher<u32, u32>, item: u32) -> tokio::task::JoinHandle<Result<u32, Fault>> {
    let batcher = batcher.clone();
    tokio::spawn(async move { batcher.push(item).await })
}

fn of_four() -> Batch {
    Batch { size: NonZeroU32::new(4).unwrap(), ..Batch::default() }
}

#[tokio::test(start_paused = true)]
async fn a_batch_goes_when_it_is_full_or_has_waited_or_nothing_more_can_come() {
    let (batcher, worker, sent) = doubling(&of_four());
    let started = tokio::time::Instant::now();
    let calls: Vec<_> = (0..5).map(|item| push(&batcher, item)).collect();
    for (item, call) in (0..5).zip(calls) {
        assert_eq!(call.await.unwrap().unwrap(), item * 2);
    }
    assert_eq!(started.elapsed().as_secs(), 5, "the fifth waited for the timeout");
    let last = push(&batcher, 7);
    tokio::task::yield_now().await;
    worker.stop.send(()).unwrap();
    assert_eq!(last.await.unwrap().unwrap(), 14);
    worker.worker.await.unwrap();
    assert_eq!(batcher.push(8).await.unwrap_err().landed, Landed::No);
    assert_eq!(started.elapsed().as_secs(), 5, "the last one did not wait");
    assert_eq!(*sent.lock().unwrap(), [vec![0, 1, 2, 3], vec![4], vec![7]]);
}

#[tokio::test(start_paused = true)]
async fn one_poison_item_fails_alone_and_nothing_is_sent_twice_after_it_landed() {
    let (batcher, _worker, sent) = doubling(&of_four());
    let calls: Vec<_> = [1, 13, 2, 3].into_iter().map(|item| push(&batcher, item)).collect();
    let mut results = Vec::new();
    for call in calls {
        results.push(call.await.unwrap().ok());
    }
    assert_eq!(results, [Some(2), None, Some(4), Some(6)]);
    assert_eq!(*sent.lock().unwrap(), [vec![1, 13, 2, 3], vec![1, 13], vec![1], vec![13], vec![2, 3]]);
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_may_have_landed_is_not_taken_apart() {
    let (batcher, _worker, sent) = doubling(&of_four());
    let calls: Vec<_> = [1, 99, 2, 3].into_iter().map(|item| push(&batcher, item)).collect();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap_err().landed, Landed::Unknown);
    }
    assert_eq!(sent.lock().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_source_before_an_open_breaker_pauses_and_burns_no_attempt() {
    let breaker =
        Breaker { consecutive_failures: NonZeroU32::new(1), open_jitter: 0.0, ..Breaker::default() };
    let retry = Retry { max_attempts: NonZeroU32::MIN, ..Retry::default() };
    let policy = Policy { breaker: Some(breaker), retry, ..bare() };
    let world = World::new(policy, |number, _| async move {
        if number == 1 { Err(fault(Kind::Connect, Landed::No)) } else { Ok(Reply::default()) }
    });
    let gate = world.guarded.gate("post", "");
    assert_eq!(gate.closed_for(), None);
    world.call("post").await.unwrap_err();
    assert_eq!(gate.closed_for(), Some(seconds(60)));
    let started = tokio::time::Instant::now();
    gate.opened().await;
    assert_eq!(started.elapsed().as_secs(), 60);
    world.call("post").await.unwrap();
    assert_eq!((world.calls(), world.ear.count("breaker_open")), (2, 0));
}
