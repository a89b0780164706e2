//! What an attempt that came back teaches.

use std::time::Duration;

use port::{Fault, Kind};

use super::Run;
use super::attempt::Out;
use super::pass::Cleared;
use crate::breaker::{Permit, Scene};
use crate::classify::{self, Verdict};
use crate::event::Event;

const LONGEST_PAUSE: Duration = Duration::from_secs(300);

impl Run<'_> {
    /// An attempt came back: every stage is told how it went, and then its place is free.
    #[inline]
    pub(crate) fn came_back<T>(&self, out: Out<'_>, result: &Result<T, Fault>) {
        self.look();
        let duration = self.now().since(out.started);
        let outcome = result.as_ref().map(|_| ());
        let Cleared { permit, place } = out.cleared;
        match outcome {
            Ok(()) => self.learn(permit, Verdict::Good, duration),
            Err(fault) => self.learn_from(fault, permit, out.limit, duration),
        }
        if outcome.is_ok() {
            self.request.usual.inspect(|median| median.add(duration));
        }
        self.hear(&Event::AttemptFinished { place: &self.place, attempt: out.number, outcome, duration });
        drop(place);
    }

    #[inline]
    fn learn(&self, permit: Option<Permit<'_>>, verdict: Verdict, took: Duration) {
        if let Some(permit) = permit {
            permit.settle(verdict, took, self);
        }
        if let Some(bulkhead) = &self.lane.bulkhead {
            bulkhead.learn(verdict, took, self.now(), || self.chance());
        }
    }

    #[cold]
    fn learn_from(&self, fault: &Fault, permit: Option<Permit<'_>>, limit: Duration, took: Duration) {
        let verdict = match classify::verdict(Err(fault), &self.guard.policy.classify) {
            Verdict::Bad { .. } if self.was_cut_short(fault, limit) => Verdict::Neutral,
            // All that a probe asks is whether the system is there.
            Verdict::Neutral if permit.as_ref().is_some_and(Permit::is_probe) && classify::answers(fault) => {
                Verdict::Good
            }
            verdict => verdict,
        };
        self.learn(permit, verdict, took);
        if let Verdict::Throttled { pause: Some(pause) } = verdict {
            self.pause(pause, fault);
        }
    }

    /// A timeout says nothing about the system when the caller's deadline left it less than twice its usual time; while
    /// that is not known, less than a tenth of what the policy gives it.
    fn was_cut_short(&self, fault: &Fault, limit: Duration) -> bool {
        let most = self.guard.policy.attempt_timeout;
        let enough = self.usual().map_or(most / 10, |usual| usual * 2);
        fault.kind == Kind::Timeout && limit < enough.min(most)
    }

    /// A 503 says that this cannot be done now; whether others can be is for others to see. What counts all calls, as a 429
    /// does, is asked nothing at all.
    fn pause(&self, asked: Duration, fault: &Fault) {
        let longest = self.guard.policy.breaker.as_ref().map_or(LONGEST_PAUSE, |breaker| breaker.max_open);
        let pause = asked.min(longest);
        let until = self.now() + pause;
        let alone =
            fault.status == Some(503) && self.lane.apart.pause(self.request.operation, until, self.now());
        if !alone {
            self.lane.quiet(until);
        }
        self.hear(&Event::Paused { place: &self.place, pause });
    }
}
