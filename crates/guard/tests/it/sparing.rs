//! Items sent together, sources that pause.

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};

use guard::batch::{Batcher, batcher};
use guard::{Batch, Breaker, Policy, Retry};
use port::{Fault, Kind, Landed, Link, Outlook, Reply};

use crate::fixture::{World, bare, fault, seconds};

fn once() -> Retry {
    Retry { max_attempts: NonZeroU32::MIN, ..Retry::default() }
}

/// A worker and how to end it.
struct Running {
    stop: tokio::sync::oneshot::Sender<()>,
    worker: tokio::task::JoinHandle<()>,
}

type Sent = Arc<Mutex<Vec<Vec<u32>>>>;

/// A system that doubles numbers, refuses batches with a 13 in them, does not know who sends a 77, and is away for
/// batches with a 99.
fn doubling(policy: &Batch) -> (Batcher<u32, u32>, Running, Sent) {
    let sent = Sent::default();
    let log = Arc::clone(&sent);
    let (batcher, worker) = batcher(policy, move |items: Vec<u32>| {
        log.lock().unwrap().push(items.clone());
        async move {
            if items.contains(&77) {
                return Err(fault(Kind::Unauthorised, Landed::No));
            }
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
async fn credentials_are_no_items_fault() {
    let (batcher, _worker, sent) = doubling(&of_four());
    let calls: Vec<_> = [1, 77, 2, 3].into_iter().map(|item| push(&batcher, item)).collect();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap_err().kind, Kind::Unauthorised);
    }
    assert_eq!(sent.lock().unwrap().len(), 1, "no part of it would be let in either");
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
async fn a_source_waits_while_the_system_wants_to_be_left_alone() {
    let world = World::new(Policy { retry: once(), ..bare() }, |number, _| async move {
        let asks = fault(Kind::Throttled, Landed::No).after(Some(seconds(7)));
        if number == 1 { Err(asks) } else { Ok(Reply::default()) }
    });
    world.call("post").await.unwrap_err();
    assert_eq!(world.guarded.outlook("post", "acme"), Outlook::Closed(seconds(7)));
    tokio::time::advance(seconds(7)).await;
    assert_eq!(world.guarded.outlook("post", "acme"), Outlook::Open);
    world.call("post").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_source_before_an_open_breaker_pauses_and_burns_no_attempt() {
    let breaker =
        Breaker { consecutive_failures: NonZeroU32::new(1), open_jitter: 0.0, ..Breaker::default() };
    let policy = Policy { breaker: Some(breaker), retry: once(), ..bare() };
    let world = World::new(policy, |number, _| async move {
        if number == 1 { Err(fault(Kind::Connect, Landed::No)) } else { Ok(Reply::default()) }
    });
    let outlook = || world.guarded.outlook("post", "acme");
    assert_eq!(outlook(), Outlook::Open);
    world.call("post").await.unwrap_err();
    assert_eq!(outlook(), Outlook::Closed(seconds(60)));
    tokio::time::advance(seconds(60)).await;
    assert_eq!(outlook(), Outlook::Probing(1));
    world.call("post").await.unwrap();
    assert_eq!((world.calls(), world.ear.count("breaker_open")), (2, 0));
}
