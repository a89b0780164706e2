//! Breakers that wrap futures and read the machine's clock, as candidates of the suite.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use failsafe::futures::CircuitBreaker as _;
use failsafe::{StateMachine, backoff, failure_policy};
use recloser::{AsyncRecloser, Recloser};
use tokio::runtime::Runtime;
use tower::util::ServiceFn;
use tower::{Service, ServiceExt, service_fn};
use tower_resilience_circuitbreaker::{CircuitBreaker, CircuitBreakerLayer, FnClassifier, SlidingWindowType};

use crate::suite::{Candidate, Outcome, Window};

/// How long a second of the suite takes.
pub(crate) const SECOND: Duration = Duration::from_millis(5);

fn seconds(seconds: u32) -> Duration {
    SECOND * seconds
}

/// Some of them sleep when two callers meet.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_time().build().unwrap()
});

/// A guarded call: `Err` when it was kept in.
pub(crate) type Wrapped = Pin<Box<dyn Future<Output = Result<(), KeptIn>> + Send>>;

/// The call was not let out.
pub(crate) struct KeptIn;

/// A breaker that wraps futures.
pub(crate) trait Wraps: Send + Sync + 'static {
    const NAME: &'static str;
    /// Words in the names of cases that ask for what this breaker does not offer.
    const LACKS: &'static [&'static str];

    fn new(window: Window) -> Self;
    fn wrap(&self, call: Scripted) -> Wrapped;
}

/// Why a call failed.
#[derive(Debug)]
pub(crate) enum Failure {
    Down,
    WrongInput,
}

fn counts(failure: &Failure) -> bool {
    matches!(failure, Failure::Down)
}

/// A call that ends when and how it is told.
#[derive(Clone, Default)]
pub(crate) struct Scripted(Arc<Script>);

#[derive(Default)]
struct Script {
    started: AtomicBool,
    outcome: Mutex<Option<Outcome>>,
}

impl Future for Scripted {
    type Output = Result<(), Failure>;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.started.store(true, Ordering::Release);
        match *self.0.outcome.lock().unwrap() {
            None => Poll::Pending,
            Some(Outcome::Good | Outcome::Slow) => Poll::Ready(Ok(())),
            Some(Outcome::Bad) => Poll::Ready(Err(Failure::Down)),
            Some(Outcome::Neutral) => Poll::Ready(Err(Failure::WrongInput)),
        }
    }
}

/// A breaker that wraps futures, held against the suite.
pub(crate) struct Held<W>(W);

/// A call that is out.
pub(crate) struct Out {
    wrapped: Wrapped,
    script: Scripted,
}

impl Out {
    fn poll(&mut self) -> Poll<Result<(), KeptIn>> {
        self.wrapped.as_mut().poll(&mut Context::from_waker(Waker::noop()))
    }
}

impl<W: Wraps> Candidate for Held<W> {
    type Call<'a> = Out;

    fn new(window: Window) -> Self {
        Self(W::new(window))
    }

    fn begin(&self) -> Option<Out> {
        let _inside = RUNTIME.enter();
        let script = Scripted::default();
        let mut out = Out { wrapped: self.0.wrap(script.clone()), script };
        loop {
            match out.poll() {
                Poll::Ready(_) => return None,
                Poll::Pending if out.script.0.started.load(Ordering::Acquire) => return Some(out),
                Poll::Pending => thread::yield_now(),
            }
        }
    }

    fn end(&self, mut out: Out, outcome: Outcome) {
        let _inside = RUNTIME.enter();
        if outcome == Outcome::Slow {
            thread::sleep(seconds(10));
        }
        *out.script.0.outcome.lock().unwrap() = Some(outcome);
        while out.poll().is_pending() {
            thread::yield_now();
        }
    }

    fn pass(&self, time: Duration) {
        thread::sleep(time.mul_f64(SECOND.as_secs_f64()));
    }
}

type Call = fn(Scripted) -> Scripted;
type Judge = fn(&Result<(), Failure>) -> bool;

/// tower-resilience-circuitbreaker.
pub(crate) struct TowerResilience(CircuitBreaker<ServiceFn<Call>, FnClassifier<Judge>>);

impl Wraps for TowerResilience {
    const NAME: &'static str = "tower-resilience";
    const LACKS: &'static [&'static str] = &[];

    fn new(window: Window) -> Self {
        let kind = match window {
            Window::LastHundred => SlidingWindowType::CountBased,
            Window::LastTenSeconds => SlidingWindowType::TimeBased,
        };
        let judge: Judge = |result| result.as_ref().is_err_and(counts);
        let layer = CircuitBreakerLayer::builder()
            .failure_rate_threshold(0.5)
            .sliding_window_type(kind)
            .sliding_window_size(100)
            .sliding_window_duration(seconds(10))
            .minimum_number_of_calls(100)
            .wait_duration_in_open(seconds(60))
            .permitted_calls_in_half_open(5)
            .slow_call_duration_threshold(seconds(2))
            .slow_call_rate_threshold(0.5)
            .failure_classifier(judge)
            .build();
        Self(layer.unwrap().layer_fn(service_fn((|call| call) as Call)))
    }

    fn wrap(&self, call: Scripted) -> Wrapped {
        let mut service = self.0.clone();
        Box::pin(async move {
            let answer =
                ServiceExt::<Scripted>::ready(&mut service).await.map_err(|_| KeptIn)?.call(call).await;
            match answer {
                Err(error) if error.is_circuit_open() => Err(KeptIn),
                Ok(()) | Err(_) => Ok(()),
            }
        })
    }
}

/// recloser.
pub(crate) struct Reclosing(AsyncRecloser);

impl Wraps for Reclosing {
    const NAME: &'static str = "recloser";
    const LACKS: &'static [&'static str] = &["(time)", "slow"];

    fn new(_: Window) -> Self {
        let breaker = Recloser::custom().error_rate(0.5).closed_len(100).half_open_len(5);
        Self(breaker.open_wait(seconds(60)).build().into())
    }

    fn wrap(&self, call: Scripted) -> Wrapped {
        let call = self.0.call_with(counts, call);
        Box::pin(async move {
            match call.await {
                Err(recloser::Error::Rejected) => Err(KeptIn),
                Ok(()) | Err(recloser::Error::Inner(_)) => Ok(()),
            }
        })
    }
}

/// failsafe. Its rate is a moving average over whole seconds, which is neither of the suite's windows.
pub(crate) struct Failsafe(StateMachine<failure_policy::ConsecutiveFailures<backoff::Constant>, ()>);

impl Wraps for Failsafe {
    const NAME: &'static str = "failsafe";
    const LACKS: &'static [&'static str] = &["(time)", "(calls)", "slow"];

    fn new(_: Window) -> Self {
        let policy = failure_policy::consecutive_failures(50, backoff::constant(seconds(60)));
        Self(failsafe::Config::new().failure_policy(policy).build())
    }

    fn wrap(&self, call: Scripted) -> Wrapped {
        let call = self.0.call_with(counts, call);
        Box::pin(async move {
            match call.await {
                Err(failsafe::Error::Rejected) => Err(KeptIn),
                Ok(()) | Err(failsafe::Error::Inner(_)) => Ok(()),
            }
        })
    }
}
