//! The guard, part by part and as a whole.

use std::future::{pending, ready};
use std::hint::black_box;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use guard::breaker::{Breaker, Change, Scene};
use guard::budget::Purse;
use guard::bulkhead::Bulkhead;
use guard::limit::Limit;
use guard::{Algorithm, Deaf, Median, Mode, Per, Pipeline, Policy, Request, Tick, Verdict, Window, World};
use port::{Clock, Fault, Repeat, SystemClock, SystemEntropy};

use crate::measure::{Cost, cost, heap};

/// How many keys a keyed stage is asked for.
pub(crate) const KEYS: usize = 1_000;

/// The time is handed in, as the pipeline does.
struct Handed;

impl Scene for Handed {
    fn now(&self) -> Tick {
        Tick::from_nanos(1_000_000_000)
    }

    fn chance(&self) -> f64 {
        0.5
    }

    fn changed(&self, _change: Change) {}
}

/// The breaker reads the machine's clock, as the guard does, each time it wants the time.
struct Read(u64);

impl Read {
    fn start() -> Self {
        Self(SystemClock.nanos())
    }
}

impl Scene for Read {
    fn now(&self) -> Tick {
        Tick::from_nanos(SystemClock.nanos() - self.0)
    }

    fn chance(&self) -> f64 {
        0.5
    }

    fn changed(&self, _change: Change) {}
}

fn closed(threads: usize, policy: &guard::Breaker, scene: &(impl Scene + Sync)) -> Cost {
    let breaker = Breaker::new(policy);
    cost(threads, || {
        async || {
            if let Ok(permit) = black_box(&breaker).admit(scene) {
                permit.settle(black_box(Verdict::Good), Duration::from_micros(5), scene);
            }
        }
    })
}

/// The default breaker, over a window of time.
pub(crate) fn breaker_handed(threads: usize) -> Cost {
    closed(threads, &guard::Breaker::default(), &Handed)
}

/// The same, reading the clock once per call.
pub(crate) fn breaker_read(threads: usize) -> Cost {
    closed(threads, &guard::Breaker::default(), &Read::start())
}

/// A breaker over the last hundred calls.
pub(crate) fn breaker_of_calls(threads: usize) -> Cost {
    closed(threads, &of_calls(), &Handed)
}

fn of_calls() -> guard::Breaker {
    let rate = guard::ErrorRate { window: Window::Calls(100), ..guard::ErrorRate::default() };
    guard::Breaker { error_rate: Some(rate), ..guard::Breaker::default() }
}

fn rejecting(threads: usize, scene: &(impl Scene + Sync)) -> Cost {
    let breaker = Breaker::new(&guard::Breaker::default());
    while let Ok(permit) = breaker.admit(scene) {
        permit.settle(Verdict::Bad { retry_after: None }, Duration::ZERO, scene);
    }
    cost(threads, || async || _ = black_box(black_box(&breaker).admit(scene).is_err()))
}

/// An open breaker that is handed the time.
pub(crate) fn open_handed(threads: usize) -> Cost {
    rejecting(threads, &Handed)
}

/// An open breaker that reads the clock.
pub(crate) fn open_read(threads: usize) -> Cost {
    rejecting(threads, &Read::start())
}

/// Faster than it can be asked, so that it never says no.
fn generous() -> guard::Limit {
    let algorithm = Algorithm::TokenBucket;
    guard::Limit {
        per: Per::System,
        capacity: 100_000,
        refill_per_second: 1e9,
        weight: 1,
        mode: Mode::Reject,
        algorithm,
        shared: None,
    }
}

fn empty() -> guard::Limit {
    guard::Limit { capacity: 1, refill_per_second: 0.001, ..generous() }
}

fn taking(threads: usize, policy: &guard::Limit) -> Cost {
    let (limit, scene) = (Limit::new(policy), Read::start());
    cost(threads, || async || _ = black_box(limit.take(scene.now(), Tick::default(), None)))
}

/// A token bucket that has tokens; reads the clock.
pub(crate) fn bucket(threads: usize) -> Cost {
    taking(threads, &generous())
}

/// A token bucket that has none; reads the clock.
pub(crate) fn bucket_empty(threads: usize) -> Cost {
    taking(threads, &empty())
}

/// A place in a bulkhead, taken and left.
pub(crate) fn bulkhead(threads: usize) -> Cost {
    let bulkhead = Bulkhead::new(&guard::Bulkhead::default());
    cost(threads, || async || drop(black_box(bulkhead.try_enter())))
}

/// What a success at the first attempt costs the retry budget.
pub(crate) fn budget(threads: usize) -> Cost {
    let purse = Purse::new(guard::Budget::default());
    cost(threads, || async || black_box(&purse).succeeded())
}

fn bare() -> Policy {
    Policy { breaker: None, bulkhead: None, limit: None, ..Policy::default() }
}

fn whole() -> Policy {
    Policy { limit: Some(generous()), ..Policy::default() }
}

fn pipeline(policy: Policy) -> Pipeline {
    Pipeline::new("crm", policy, World::new(Arc::new(SystemClock), Arc::new(Deaf)))
}

/// As a guarded system asks: what is usual is learned with each success.
fn request(key: &str, deadline: Option<Instant>) -> Request<'_> {
    static USUAL: LazyLock<Median> = LazyLock::new(Median::new);
    let usual = Some(&*USUAL);
    Request {
        operation: "read",
        key,
        repeat: Repeat::Safe,
        keyed: false,
        cost: 1,
        deadline,
        usual,
        entropy: &SystemEntropy,
    }
}

fn succeeding(threads: usize, policy: Policy) -> Cost {
    let pipeline = pipeline(policy);
    let request = request("", None);
    cost(threads, || {
        async || _ = black_box(pipeline.call(&request, |_| ready(Ok::<u64, Fault>(1))).await.is_ok())
    })
}

/// Deadline, retry and attempt timeout alone.
pub(crate) fn retry_and_timeout(threads: usize) -> Cost {
    succeeding(threads, bare())
}

/// The same with a breaker.
pub(crate) fn with_breaker(threads: usize) -> Cost {
    succeeding(threads, Policy { breaker: Some(guard::Breaker::default()), ..bare() })
}

/// The same with a bulkhead.
pub(crate) fn with_bulkhead(threads: usize) -> Cost {
    succeeding(threads, Policy { bulkhead: Some(guard::Bulkhead::default()), ..bare() })
}

/// The same with a token bucket.
pub(crate) fn with_bucket(threads: usize) -> Cost {
    succeeding(threads, Policy { limit: Some(generous()), ..bare() })
}

/// All five stages, one key for all.
pub(crate) fn five_stages(threads: usize) -> Cost {
    succeeding(threads, whole())
}

fn by_tenant() -> Policy {
    let (per, Policy { breaker, bulkhead, limit, .. }) = (Per::Tenant, whole());
    Policy {
        breaker: breaker.map(|breaker| guard::Breaker { per, ..breaker }),
        bulkhead: bulkhead.map(|bulkhead| guard::Bulkhead { per, ..bulkhead }),
        limit: limit.map(|limit| guard::Limit { per, ..limit }),
        ..whole()
    }
}

fn keys() -> Vec<String> {
    (0..KEYS).map(|key| format!("tenant-{key}")).collect()
}

/// All five stages, each tenant with its own.
pub(crate) fn five_stages_keyed(threads: usize) -> Cost {
    let (pipeline, keys, next) = (pipeline(by_tenant()), keys(), AtomicUsize::new(0));
    cost(threads, || {
        let mut at = next.fetch_add(KEYS / 2, Ordering::Relaxed);
        let (pipeline, keys) = (&pipeline, &keys);
        async move || {
            at += 1;
            let request = request(&keys[at % KEYS], None);
            _ = black_box(pipeline.call(&request, |_| ready(Ok::<u64, Fault>(1))).await.is_ok());
        }
    })
}

fn rejected(threads: usize, pipeline: &Pipeline, deadline: Option<Instant>) -> Cost {
    let request = request("", deadline);
    let mut call = Box::pin(pipeline.call(&request, |_| ready(Ok::<u64, Fault>(1))));
    let std::task::Poll::Ready(Err(fault)) = call.as_mut().poll(&mut Context::from_waker(Waker::noop()))
    else {
        panic!("the call that should be rejected was not");
    };
    assert!(fault.rejection.is_some(), "{fault}");
    cost(threads, || {
        async || _ = black_box(pipeline.call(&request, |_| ready(Ok::<u64, Fault>(1))).await.is_ok())
    })
}

/// The whole guard before an open breaker.
pub(crate) fn rejected_by_breaker(threads: usize) -> Cost {
    let breaker = guard::Breaker { consecutive_failures: Some(NonZeroU32::MIN), ..guard::Breaker::default() };
    let retry = guard::Retry { max_attempts: NonZeroU32::MIN, ..guard::Retry::default() };
    let pipeline = pipeline(Policy { breaker: Some(breaker), retry, ..whole() });
    let down = || ready(Err::<u64, _>(Fault::new(port::Kind::Connect, port::Landed::No, "down")));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    _ = runtime.block_on(pipeline.call(&request("", None), |_| down()));
    rejected(threads, &pipeline, None)
}

/// The whole guard with its only place taken and no queue.
pub(crate) fn rejected_by_bulkhead(threads: usize) -> Cost {
    let bulkhead = guard::Bulkhead { max_in_flight: 1, queue: 0, ..guard::Bulkhead::default() };
    let pipeline = pipeline(Policy { bulkhead: Some(bulkhead), ..whole() });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let _inside = runtime.enter();
    let request = request("", None);
    let mut hanging = Box::pin(pipeline.call(&request, |_| pending::<Result<u64, Fault>>()));
    assert!(hanging.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    rejected(threads, &pipeline, None)
}

/// The whole guard with no token left.
pub(crate) fn rejected_by_limit(threads: usize) -> Cost {
    let pipeline = pipeline(Policy { limit: Some(empty()), ..whole() });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    _ = runtime.block_on(pipeline.call(&request("", None), |_| ready(Ok::<u64, Fault>(1))));
    rejected(threads, &pipeline, None)
}

/// The whole guard for a caller whose time is up.
pub(crate) fn rejected_by_deadline(threads: usize) -> Cost {
    let passed = Instant::now().checked_sub(Duration::from_millis(1));
    rejected(threads, &pipeline(whole()), passed)
}

/// Bytes of one more breaker of the same system: what is in it, and what it holds on the heap.
pub(crate) fn breaker_bytes() -> [(&'static str, f64); 2] {
    [("10 buckets of time", guard::Breaker::default()), ("the last 100 calls", of_calls())].map(
        |(window, policy)| {
            let first = Breaker::new(&policy);
            (window, bytes_each(|| (0..KEYS).map(|_| first.sibling()).collect::<Vec<_>>()))
        },
    )
}

/// Bytes of one more key of a whole pipeline: breaker, bulkhead, bucket, name, place in the map.
pub(crate) fn lane_bytes() -> f64 {
    let (pipeline, keys) = (pipeline(by_tenant()), keys());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    bytes_each(|| {
        runtime.block_on(async {
            for key in &keys {
                _ = pipeline.call(&request(key, None), |_| ready(Ok::<u64, Fault>(1))).await;
            }
        });
    })
}

fn bytes_each<T>(make: impl FnOnce() -> T) -> f64 {
    let before = heap().live;
    let made = make();
    let after = heap().live;
    drop(made);
    #[expect(clippy::cast_precision_loss, reason = "bytes far below 2^52")]
    let each = (after - before) as f64 / KEYS as f64;
    each
}
