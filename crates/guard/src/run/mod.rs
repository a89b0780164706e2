//! One call on its way through the stages.
//!
//! A call that never has to wait goes through in one piece: stages say at once whether it may pass, and only a wait
//! is a future of its own, boxed, so that calls that do not wait do not carry its size.

mod copy;
mod end;
mod learn;
mod retry;
mod wait;

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use port::{Fault, Kind, Landed, Rejection};

use crate::breaker::{Change, Permit, Scene};
use crate::event::{Event, Place};
use crate::explain::human;
use crate::lane::Lane;
use crate::median::Median;
use crate::pipeline::{Attempt, Pipeline, Request};
use crate::tick::Tick;

pub(crate) use end::End;
pub(crate) use retry::First;
use wait::{Entry, Turn};

/// One call: its policy, its lane, its deadline, and what came of its attempts so far.
pub(crate) struct Run<'a> {
    guard: &'a Pipeline,
    request: &'a Request<'a>,
    lane: &'a Lane,
    place: Place<'a>,
    started: Tick,
    /// [`Tick::NEVER`] without one.
    deadline: Tick,
    /// The time, as last read. Read again after each wait, not at each look.
    now: AtomicU64,
    made: AtomicU32,
}

/// An attempt that is out.
struct Out {
    number: u32,
    started: Tick,
    limit: Duration,
}

impl<'a> Run<'a> {
    #[inline]
    pub(crate) fn new(guard: &'a Pipeline, request: &'a Request<'a>, lane: &'a Lane, started: Tick) -> Self {
        let ours = guard.policy.deadline.map_or(Tick::NEVER, |limit| started + limit);
        let theirs = request.deadline.map_or(Tick::NEVER, |deadline| guard.world.tick(deadline));
        Self {
            guard,
            request,
            lane,
            place: Place { system: &guard.system, operation: request.operation, key: &lane.key },
            started,
            deadline: ours.min(theirs),
            now: AtomicU64::new(started.nanos()),
            made: AtomicU32::new(0),
        }
    }

    /// One attempt through the stages below the retry. Each line may end it; what was taken before is given back.
    pub(crate) async fn once<T, F: Future<Output = Result<T, Fault>>>(
        &self,
        send: &impl Fn(Attempt) -> F,
    ) -> Result<T, Fault> {
        // Deadline: an attempt that cannot finish in time takes nothing from anyone.
        self.room()?;
        // Breaker before bulkhead: a call to a system that is down must not take a place, or wait for one.
        let permit = self.admit()?;
        // Bulkhead before limit: a call that waits for a place must not hold a token that others could use now.
        let place = match self.enter()? {
            Entry::In(place) => place,
            Entry::Line(bulkhead) => Some(Box::pin(self.line_up(bulkhead)).await?),
        };
        // Limit last: a token is spent only on a call that goes out.
        match self.turn()? {
            Turn::Now => {}
            later => Box::pin(self.await_turn(later)).await?,
        }
        // The world may have changed while the call waited.
        let permit = self.still(permit)?;
        // Attempt timeout innermost: it bounds the system's time, not the time spent waiting for our own stages.
        let out = self.out();
        let result = {
            let mut answer = pin!(send(self.attempt(&out)));
            // An answer that is there at once costs no timer.
            match poll_fn(|cx| Poll::Ready(answer.as_mut().poll(cx))).await {
                Poll::Ready(result) => result,
                Poll::Pending => {
                    let bounded = tokio::time::timeout(out.limit, answer);
                    bounded.await.unwrap_or_else(|_| Err(timed_out(out.limit)))
                }
            }
        };
        self.came_back(&out, permit, &result);
        drop(place);
        result
    }

    #[inline]
    fn room(&self) -> Result<(), Fault> {
        if self.deadline == Tick::NEVER {
            return Ok(());
        }
        let remaining = self.deadline.since(self.now());
        if remaining > self.usual().unwrap_or_default() {
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
            Err(refusal) => Err(self.reject(Rejection::BreakerOpen, Some(refusal.retry_after()))),
        }
    }

    #[inline]
    fn still(&self, permit: Option<Permit<'a>>) -> Result<Option<Permit<'a>>, Fault> {
        let (Some(breaker), Some(permit)) = (self.lane.breaker.as_deref(), permit) else { return Ok(None) };
        match breaker.renew(permit, self) {
            Ok(permit) => Ok(Some(permit)),
            Err(refusal) => Err(self.reject(Rejection::BreakerOpen, Some(refusal.retry_after()))),
        }
    }

    /// The attempt leaves the house.
    #[inline]
    fn out(&self) -> Out {
        let most = self.guard.policy.attempt_timeout;
        let limit = self.remaining().map_or(most, |left| left.min(most));
        let number = self.made.fetch_add(1, Ordering::Relaxed) + 1;
        self.hear(&Event::AttemptStarted { place: &self.place, attempt: number });
        Out { number, started: self.now(), limit }
    }

    #[inline]
    fn attempt(&self, out: &Out) -> Attempt {
        Attempt { number: out.number, base: self.guard.world.base, until: out.started + out.limit }
    }

    #[cold]
    fn reject(&self, by: Rejection, retry_after: Option<Duration>) -> Fault {
        self.hear(&Event::Rejected { place: &self.place, by, retry_after });
        Fault::rejected(by, retry_after)
    }

    /// The answer time that half of the calls of this operation stay under.
    #[inline]
    fn usual(&self) -> Option<Duration> {
        self.request.usual.and_then(Median::get)
    }

    #[inline]
    fn remaining(&self) -> Option<Duration> {
        (self.deadline != Tick::NEVER).then(|| self.deadline.since(self.now()))
    }

    #[inline]
    fn look(&self) {
        self.now.store(self.guard.world.now().nanos(), Ordering::Relaxed);
    }

    #[inline]
    fn hear(&self, event: &Event<'_>) {
        self.guard.world.listener.hear(event);
    }

    /// Attempts made so far.
    #[inline]
    fn attempts(&self) -> u32 {
        self.made.load(Ordering::Relaxed)
    }

    /// How long the call took so far.
    #[inline]
    fn duration(&self) -> Duration {
        self.now().since(self.started)
    }
}

#[cold]
fn timed_out(limit: Duration) -> Fault {
    Fault::new(Kind::Timeout, Landed::Unknown, "no answer in time").with("limit", human(limit))
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
        self.hear(&Event::Transition { place: &self.place, from, to, open_for });
    }
}
