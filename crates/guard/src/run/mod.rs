//! One call on its way through the stages.

mod retry;

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use port::{Fault, Kind, Landed, Rejection};

use crate::breaker::{Change, Permit, Refusal, Scene};
use crate::bulkhead;
use crate::classify::{self, Verdict};
use crate::event::{Event, Place};
use crate::explain::human;
use crate::lane::Lane;
use crate::limiter::Limiter;
use crate::median::Median;
use crate::pipeline::{Attempt, Pipeline, Request};
use crate::shared::{Caller, SharedLimit};
use crate::tick::Tick;

/// One call: its policy, its lane, its deadline, and what came of its attempts so far.
pub(crate) struct Run<'a> {
    guard: &'a Pipeline,
    request: &'a Request<'a>,
    lane: &'a Lane,
    started: Tick,
    deadline: Option<Tick>,
    /// The time, as last read. Read again after each wait, not at each look.
    now: AtomicU64,
    made: AtomicU32,
}

impl<'a> Run<'a> {
    #[inline]
    pub(crate) fn new(guard: &'a Pipeline, request: &'a Request<'a>, lane: &'a Lane, started: Tick) -> Self {
        let ours = guard.policy.deadline.map(|limit| started + limit);
        let theirs = request.deadline.map(|deadline| guard.world.tick(deadline));
        let deadline = ours.into_iter().chain(theirs).min();
        Self {
            guard,
            request,
            lane,
            started,
            deadline,
            now: AtomicU64::new(started.nanos()),
            made: AtomicU32::new(0),
        }
    }

    /// One attempt through the stages below the retry. Each line may end it; what was taken before is given back.
    async fn once<T, F: Future<Output = Result<T, Fault>>>(
        &self,
        send: &impl Fn(Attempt) -> F,
    ) -> Result<T, Fault> {
        // Deadline: an attempt that cannot finish in time takes nothing from anyone.
        self.room()?;
        // Breaker before bulkhead: a call to a system that is down must not take a place, or wait for one.
        let permit = self.admit()?;
        // Bulkhead before limit: a call that waits for a place must not hold a token that others could use now.
        let place = self.enter().await?;
        // Limit last: a token is spent only on a call that goes out.
        self.turn().await?;
        // The world may have changed while the call waited.
        self.still(permit.as_ref())?;
        // Attempt timeout innermost: it bounds the system's time, not the time spent waiting for our own stages.
        let result = self.attempt(permit, send).await;
        drop(place);
        result
    }

    #[inline]
    fn room(&self) -> Result<(), Fault> {
        let Some(deadline) = self.deadline else { return Ok(()) };
        let remaining = deadline.since(self.now());
        let median = self.usual().unwrap_or_default();
        if remaining > median {
            return Ok(());
        }
        if !remaining.is_zero() {
            self.request.usual.inspect(|median| median.doubt());
        }
        Err(self.reject(Rejection::DeadlineTooNear, None))
    }

    #[inline]
    fn admit(&self) -> Result<Option<Permit<'a>>, Fault> {
        let Some(breaker) = self.lane.breaker.as_deref() else { return Ok(None) };
        match breaker.admit(self) {
            Ok(permit) => Ok(Some(permit)),
            Err(Refusal(retry_after)) => Err(self.reject(Rejection::BreakerOpen, retry_after)),
        }
    }

    async fn enter(&self) -> Result<Option<bulkhead::Place>, Fault> {
        let Some(bulkhead) = &self.lane.bulkhead else { return Ok(None) };
        if let Some(place) = bulkhead.try_enter() {
            return Ok(Some(place));
        }
        let place = bulkhead.enter(self.guard.policy.priority, self.remaining()).await;
        self.look();
        // About half of the calls that are out now will be back after the median.
        let hint = self.usual().unwrap_or(Duration::from_millis(100));
        let place = place.map_err(|bulkhead::Full| self.reject(Rejection::BulkheadFull, Some(hint)))?;
        self.room().map(|()| Some(place))
    }

    async fn turn(&self) -> Result<(), Fault> {
        let (now, quiet) = (self.now(), self.lane.quiet_until());
        let wait = match self.lane.limit.as_deref() {
            Some(Limiter::Local(limit)) => {
                limit.take(now, quiet, self.remaining()).map_err(|late| late.retry_after)
            }
            // Boxed, so that a call with a local limit does not carry its size.
            Some(Limiter::Shared(limit)) => return Box::pin(self.shared_turn(limit)).await,
            None if quiet > now => Err(quiet.since(now)),
            None => return Ok(()),
        };
        match wait {
            Ok(Duration::ZERO) => return Ok(()),
            Ok(wait) => tokio::time::sleep(wait).await,
            Err(retry_after) => return Err(self.reject(Rejection::RateLimited, Some(retry_after))),
        }
        self.look();
        self.room()
    }

    /// A turn of a limit that other nodes count too.
    async fn shared_turn(&self, limit: &SharedLimit) -> Result<(), Fault> {
        let caller = Caller {
            world: &self.guard.world,
            entropy: self.request.entropy,
            place: self.place(),
            quiet_until: self.lane.quiet_until(),
            most: self.remaining(),
        };
        match limit.take(&caller).await {
            Ok(wait) => tokio::time::sleep(wait).await,
            Err(late) => return Err(self.reject(Rejection::RateLimited, Some(late.retry_after))),
        }
        self.look();
        self.room()
    }

    #[inline]
    fn still(&self, permit: Option<&Permit<'_>>) -> Result<(), Fault> {
        if permit.is_none_or(Permit::holds) {
            return Ok(());
        }
        let open_for = self.lane.breaker.as_deref().and_then(|breaker| breaker.open_for(self.now()));
        Err(self.reject(Rejection::BreakerOpen, open_for))
    }

    async fn attempt<T, F: Future<Output = Result<T, Fault>>>(
        &self,
        permit: Option<Permit<'_>>,
        send: &impl Fn(Attempt) -> F,
    ) -> Result<T, Fault> {
        let started = self.now();
        let policy = &self.guard.policy;
        let limit = self.remaining().map_or(policy.attempt_timeout, |left| left.min(policy.attempt_timeout));
        let number = self.made.fetch_add(1, Ordering::Relaxed) + 1;
        self.hear(&Event::AttemptStarted { place: self.place(), attempt: number });
        let deadline = self.guard.world.base + (started + limit).since(Tick::default());
        let result =
            match within(limit, send(Attempt { number, deadline })).await {
                Some(result) => result,
                None => Err(Fault::new(Kind::Timeout, Landed::Unknown, "no answer in time")
                    .with("limit", human(limit))),
            };
        self.look();
        let (outcome, duration) = (result.as_ref().map(|_| ()), self.now().since(started));
        self.learn(permit, outcome, duration, limit);
        self.hear(&Event::AttemptFinished { place: self.place(), attempt: number, outcome, duration });
        result
    }

    /// Tells every stage how the attempt went.
    #[inline]
    fn learn(
        &self,
        permit: Option<Permit<'_>>,
        outcome: Result<(), &Fault>,
        took: Duration,
        limit: Duration,
    ) {
        let verdict = match classify::verdict(outcome, &self.guard.policy.classify) {
            Verdict::Bad { .. } if self.was_cut_short(outcome, limit) => Verdict::Neutral,
            verdict => verdict,
        };
        if let Some(permit) = permit {
            permit.settle(verdict, took, self);
        }
        if let Verdict::Throttled { pause: Some(pause) } = verdict {
            self.pause(pause);
        }
        if outcome.is_ok() {
            self.request.usual.inspect(|median| median.add(took));
        }
        if let Some(bulkhead) = &self.lane.bulkhead {
            bulkhead.learn(verdict, took);
        }
    }

    /// A timeout says nothing about the system when the caller's deadline left it less than twice its usual time.
    #[inline]
    fn was_cut_short(&self, outcome: Result<(), &Fault>, limit: Duration) -> bool {
        let timed_out = outcome.is_err_and(|fault| fault.kind == Kind::Timeout);
        let usual = self.usual();
        timed_out && limit < self.guard.policy.attempt_timeout && usual.is_some_and(|usual| limit < usual * 2)
    }

    fn pause(&self, asked: Duration) {
        let longest = self.guard.policy.breaker.as_ref().map_or(LONGEST_PAUSE, |breaker| breaker.max_open);
        let pause = asked.min(longest);
        self.lane.quiet(self.now() + pause);
        self.hear(&Event::Paused { place: self.place(), pause });
    }

    fn reject(&self, by: Rejection, retry_after: Option<Duration>) -> Fault {
        self.hear(&Event::Rejected { place: self.place(), by, retry_after });
        Fault::rejected(by, retry_after)
    }

    /// The answer time that half of the calls of this operation stay under.
    #[inline]
    fn usual(&self) -> Option<Duration> {
        self.request.usual.and_then(Median::get)
    }

    #[inline]
    fn remaining(&self) -> Option<Duration> {
        self.deadline.map(|deadline| deadline.since(self.now()))
    }

    #[inline]
    fn look(&self) {
        self.now.store(self.guard.world.now().nanos(), Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn hear(&self, event: &Event<'_>) {
        self.guard.world.listener.hear(event);
    }

    #[inline]
    pub(crate) fn place(&self) -> Place<'_> {
        Place { system: &self.guard.system, operation: self.request.operation, key: &self.lane.key }
    }

    /// Attempts made so far.
    #[inline]
    pub(crate) fn attempts(&self) -> u32 {
        self.made.load(Ordering::Relaxed)
    }

    /// How long the call took so far.
    #[inline]
    pub(crate) fn duration(&self) -> Duration {
        self.now().since(self.started)
    }
}

impl Scene for Run<'_> {
    #[inline]
    fn now(&self) -> Tick {
        Tick::from_nanos(self.now.load(Ordering::Relaxed))
    }

    fn chance(&self) -> f64 {
        self.request.entropy.unit()
    }

    fn changed(&self, change: Change) {
        let Change { from, to, open_for } = change;
        self.hear(&Event::Transition { place: self.place(), from, to, open_for });
    }
}

const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// Waits for `future` at most `limit`, then drops it. An answer that is there at once costs no timer.
async fn within<F: Future>(limit: Duration, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    match poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await {
        Poll::Ready(output) => Some(output),
        Poll::Pending => tokio::time::timeout(limit, future).await.ok(),
    }
}
