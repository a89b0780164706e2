//! One call on its way through the stages.
//!
//! A call that never has to wait goes through in one piece: stages say at once whether it may pass, and only a wait
//! is a future of its own, boxed, so that calls that do not wait do not carry its size.

mod attempt;
mod copy;
mod end;
mod learn;
mod pass;
mod retry;
mod wait;

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use crate::breaker::{Change, Scene};
use crate::event::{Event, Place};
use crate::lane::Lane;
use crate::median::Median;
use crate::pipeline::{Pipeline, Request};
use crate::tick::Tick;

pub(crate) use end::End;
pub(crate) use pass::Pass;
pub(crate) use retry::First;

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

    /// The answer time that half of the calls of this operation stay under.
    #[inline]
    fn usual(&self) -> Option<Duration> {
        self.request.usual.and_then(Median::get)
    }

    #[inline]
    fn remaining(&self) -> Option<Duration> {
        (self.deadline != Tick::NEVER).then(|| self.deadline.since(self.now()))
    }

    /// How long the call may wait and still be answered in time.
    #[inline]
    fn patience(&self) -> Option<Duration> {
        self.remaining().map(|left| left.saturating_sub(self.usual().unwrap_or_default()))
    }

    #[inline]
    fn look(&self) {
        self.now.store(self.guard.world.now().nanos(), Ordering::Relaxed);
    }

    #[inline]
    fn hear(&self, event: &Event<'_>) {
        self.guard.world.listener.hear(event);
    }

    /// Counts one more attempt; its number, from 1.
    #[inline]
    fn count(&self) -> u32 {
        // All copies of a call are polled by one task, so nobody counts at the same time.
        let number = self.attempts() + 1;
        self.made.store(number, Ordering::Relaxed);
        number
    }

    /// Attempts made so far.
    #[inline]
    pub(crate) fn attempts(&self) -> u32 {
        self.made.load(Ordering::Relaxed)
    }

    /// How long the call took so far.
    #[inline]
    fn duration(&self) -> Duration {
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
        self.hear(&Event::Transition { place: &self.place, from, to, open_for });
    }
}
