//! One attempt: sent once all stages let it pass, bounded in time, and learned from when it has ended.

use std::future::Future;
use std::time::Duration;

use port::{Fault, Kind, Landed};

use super::Run;
use super::pass::Cleared;
use crate::breaker::Scene;
use crate::event::Event;
use crate::explain::human;
use crate::pipeline::Attempt;
use crate::tick::Tick;

/// An attempt that is out, and what it holds.
pub(crate) struct Out<'a> {
    pub(super) number: u32,
    pub(super) started: Tick,
    pub(super) limit: Duration,
    pub(super) cleared: Cleared<'a>,
}

impl<'a> Run<'a> {
    /// Sends an attempt that all stages let pass, and learns from its result.
    #[inline]
    pub(crate) async fn send<T, F: Future<Output = Result<T, Fault>>>(
        &self,
        cleared: Cleared<'a>,
        send: &impl Fn(Attempt) -> F,
    ) -> Result<T, Fault> {
        let out = self.leave(cleared);
        let result = out.bounded(send(self.attempt(&out))).await;
        self.came_back(out, &result);
        result
    }

    /// The attempt leaves.
    #[inline]
    pub(crate) fn leave(&self, cleared: Cleared<'a>) -> Out<'a> {
        let most = self.guard.policy.attempt_timeout;
        let limit = self.remaining().map_or(most, |left| left.min(most));
        let number = self.count();
        self.hear(&Event::AttemptStarted { place: &self.place, attempt: number });
        Out { number, started: self.now(), limit, cleared }
    }

    #[inline]
    pub(crate) fn attempt(&self, out: &Out<'_>) -> Attempt {
        Attempt { number: out.number, base: self.guard.world.base, until: out.started + out.limit }
    }
}

impl Out<'_> {
    /// Attempt timeout innermost: it bounds the system's time, not the time spent waiting for our own stages.
    pub(crate) async fn bounded<T>(
        &self,
        answer: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Fault> {
        let bounded = tokio::time::timeout(self.limit, answer);
        bounded.await.unwrap_or_else(|_| Err(timed_out(self.limit)))
    }
}

#[cold]
fn timed_out(limit: Duration) -> Fault {
    Fault::new(Kind::Timeout, Landed::Unknown, "no answer in time").with("limit", human(limit))
}
