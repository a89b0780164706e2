//! An attempt that all stages let pass leaves the house, and comes back.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use port::{Fault, Kind, Landed};

use super::Run;
use super::pass::Cleared;
use crate::breaker::Scene;
use crate::event::Event;
use crate::explain::human;
use crate::pipeline::Attempt;
use crate::tick::Tick;

/// Sends an attempt, learns from its result, and is worth it. A macro and not an `async fn`: such a future, with room
/// for an adapter's in it, would be moved into its caller's on the way of every call, and the result out of it.
macro_rules! fly {
    ($run:expr, $cleared:expr, $send:expr) => {{
        let out = $run.leave($cleared);
        let mut answer = std::pin::pin!($send($run.attempt(&out)));
        // An answer that is there at once costs no timer.
        let at_once = std::future::poll_fn(|cx| std::task::Poll::Ready(answer.as_mut().poll(cx)));
        let result = match at_once.await {
            std::task::Poll::Ready(result) => result,
            std::task::Poll::Pending => out.bounded(answer).await,
        };
        $run.came_back(out, &result);
        result
    }};
}
pub(crate) use fly;

/// An attempt that is out, and what it holds.
pub(crate) struct Out<'a> {
    pub(super) number: u32,
    pub(super) started: Tick,
    pub(super) limit: Duration,
    pub(super) cleared: Cleared<'a>,
}

impl<'a> Run<'a> {
    /// The attempt leaves the house.
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
        answer: Pin<&mut impl Future<Output = Result<T, Fault>>>,
    ) -> Result<T, Fault> {
        let bounded = tokio::time::timeout(self.limit, answer);
        bounded.await.unwrap_or_else(|_| Err(timed_out(self.limit)))
    }
}

#[cold]
fn timed_out(limit: Duration) -> Fault {
    Fault::new(Kind::Timeout, Landed::Unknown, "no answer in time").with("limit", human(limit))
}
