//! What others ask for the same, measured the same way.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::hint::black_box;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use failsafe::CircuitBreaker as _;
use governor::{Quota, RateLimiter};
use recloser::Recloser;
use tower::{Service, ServiceBuilder, ServiceExt, service_fn};
use tower_resilience_circuitbreaker::CircuitBreakerLayer;

use crate::measure::{Cost, cost};
use crate::ours::KEYS;

/// Nothing at all.
pub(crate) fn nothing(threads: usize) -> Cost {
    cost(threads, || async || _ = black_box(1))
}

/// Reading the clock once.
pub(crate) fn clock(threads: usize) -> Cost {
    cost(threads, || async || _ = black_box(Instant::now()))
}

/// The least that a count kept by all threads together costs.
pub(crate) fn shared_add(threads: usize) -> Cost {
    let count = AtomicU64::new(0);
    cost(threads, || async || _ = black_box(count.fetch_add(1, Ordering::AcqRel)))
}

type Echo = fn(bool) -> Ready<Result<(), ()>>;

fn echo(good: bool) -> Ready<Result<(), ()>> {
    ready(if good { Ok(()) } else { Err(()) })
}

fn tower_resilience(threads: usize, good: bool) -> Cost {
    let layer =
        CircuitBreakerLayer::builder().wait_duration_in_open(Duration::from_secs(3600)).build().unwrap();
    let service = layer.layer_fn(service_fn(echo as Echo));
    cost(threads, || {
        let mut service = service.clone();
        async move || {
            let ready = ServiceExt::<bool>::ready(&mut service).await.unwrap();
            _ = black_box(ready.call(good).await.is_ok());
        }
    })
}

/// tower-resilience-circuitbreaker, closed.
pub(crate) fn tower_resilience_closed(threads: usize) -> Cost {
    tower_resilience(threads, true)
}

/// tower-resilience-circuitbreaker, open: the first hundred calls of the warm-up open it.
pub(crate) fn tower_resilience_open(threads: usize) -> Cost {
    tower_resilience(threads, false)
}

fn failsafe(threads: usize, good: bool) -> Cost {
    let hour = failsafe::backoff::constant(Duration::from_secs(3600));
    let breaker = failsafe::Config::new()
        .failure_policy(failsafe::failure_policy::consecutive_failures(5, hour))
        .build();
    let outcome = if good { Ok(()) } else { Err(()) };
    cost(threads, || async || _ = black_box(breaker.call(|| black_box(outcome)).is_ok()))
}

/// failsafe, five failures in a row, closed.
pub(crate) fn failsafe_closed(threads: usize) -> Cost {
    failsafe(threads, true)
}

/// failsafe, open.
pub(crate) fn failsafe_open(threads: usize) -> Cost {
    failsafe(threads, false)
}

/// failsafe as it comes: a moving average, or five failures in a row.
pub(crate) fn failsafe_default(threads: usize) -> Cost {
    let breaker = failsafe::Config::new().build();
    cost(threads, || async || _ = black_box(breaker.call(|| black_box(Ok::<(), ()>(()))).is_ok()))
}

fn recloser(threads: usize, good: bool) -> Cost {
    let breaker = Recloser::custom().open_wait(Duration::from_secs(3600)).build();
    let outcome = if good { Ok(()) } else { Err(()) };
    cost(threads, || async || _ = black_box(breaker.call(|| black_box(outcome)).is_ok()))
}

/// recloser, closed.
pub(crate) fn recloser_closed(threads: usize) -> Cost {
    recloser(threads, true)
}

/// recloser, open.
pub(crate) fn recloser_open(threads: usize) -> Cost {
    recloser(threads, false)
}

fn governor(threads: usize, quota: Quota) -> Cost {
    let limiter = RateLimiter::direct(quota);
    cost(threads, || async || _ = black_box(limiter.check().is_ok()))
}

/// governor, allowing.
pub(crate) fn governor_allowing(threads: usize) -> Cost {
    governor(threads, Quota::per_second(NonZeroU32::MAX))
}

/// governor, denying.
pub(crate) fn governor_denying(threads: usize) -> Cost {
    governor(threads, Quota::per_hour(NonZeroU32::MIN))
}

/// governor with a bucket per key.
pub(crate) fn governor_keyed(threads: usize) -> Cost {
    let limiter = RateLimiter::keyed(Quota::per_second(NonZeroU32::MAX));
    let keys: Vec<_> = (0..KEYS).map(|key| format!("tenant-{key}")).collect();
    cost(threads, || {
        let (limiter, keys, mut at) = (&limiter, &keys, 0);
        async move || {
            at += 1;
            _ = black_box(limiter.check_key(&keys[at % KEYS]).is_ok());
        }
    })
}

/// A place of tokio's semaphore, taken and left.
pub(crate) fn semaphore(threads: usize) -> Cost {
    let places = tokio::sync::Semaphore::new(64);
    cost(threads, || async || drop(black_box(places.try_acquire())))
}

/// tower's load shed, concurrency, rate and timeout: four stages and no breaker. Not shared between threads.
pub(crate) fn tower_stack(threads: usize) -> Cost {
    cost(threads, || {
        let mut service = ServiceBuilder::new()
            .load_shed()
            .concurrency_limit(64)
            .rate_limit(u64::MAX / 2, Duration::from_secs(1))
            .timeout(Duration::from_secs(5))
            .service_fn(|()| ready(Ok::<u64, Infallible>(1)));
        async move || {
            let ready = ServiceExt::<()>::ready(&mut service).await.unwrap();
            _ = black_box(ready.call(()).await.is_ok());
        }
    })
}
