//! What the stages below the retry say of a call: it may pass, it must wait, or it stays in.

use std::time::Duration;

use port::{Fault, Rejection};

use super::Run;
use super::wait::{Turn, Wait};
use crate::breaker::{Permit, Scene};
use crate::bulkhead::Place;
use crate::event::Event;
use crate::limiter::Limiter;
use crate::tick::Tick;

/// What the stages say.
pub(crate) enum Pass<'a> {
    Clear(Cleared<'a>),
    Wait(Wait<'a>),
}

/// What a call holds that every stage lets pass.
pub(crate) struct Cleared<'a> {
    pub(super) permit: Option<Permit<'a>>,
    pub(super) place: Option<Place<'a>>,
}

/// A guard keeps the call in. Small, because it is handed on from stage to stage; a fault is made of it where it ends.
#[derive(Clone, Copy)]
pub(crate) struct Refused {
    by: Rejection,
    retry_after: Option<Duration>,
}

impl From<Refused> for Fault {
    #[inline]
    fn from(Refused { by, retry_after }: Refused) -> Self {
        Fault::rejected(by, retry_after)
    }
}

impl<'a> Run<'a> {
    /// The stages. Each line may end it; what was taken before is given back.
    #[inline]
    pub(crate) fn pass(&self) -> Result<Pass<'a>, Refused> {
        // Deadline: an attempt that cannot finish in time takes nothing from anyone.
        self.room()?;
        // Breaker before bulkhead: a call to a system that is down must not take a place, or wait for one.
        let permit = self.admit()?;
        // Bulkhead before limit: a call that waits for a place must not hold a token that others could use now.
        let place = match self.lane.bulkhead.as_ref() {
            Some(bulkhead) => match bulkhead.try_enter() {
                Some(place) => Some(place),
                None if bulkhead.has_room_to_wait(self.guard.policy.priority) => {
                    return Ok(Pass::Wait(Wait::Line(permit, bulkhead)));
                }
                None => return Err(self.full()),
            },
            None => None,
        };
        // Limit last: a token is spent only on a call that goes out.
        let cleared = Cleared { permit, place };
        match self.turn()? {
            Turn::Now => Ok(Pass::Clear(cleared)),
            later => Ok(Pass::Wait(Wait::Turn(cleared, later))),
        }
    }

    #[inline]
    pub(super) fn room(&self) -> Result<(), Refused> {
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
        Err(self.refuse(Rejection::DeadlineTooNear, None))
    }

    #[inline]
    fn admit(&self) -> Result<Option<Permit<'a>>, Refused> {
        let Some(breaker) = self.lane.breaker.as_deref() else { return Ok(None) };
        match breaker.admit(self) {
            Ok(permit) => Ok(Some(permit)),
            Err(refusal) => Err(self.refuse(Rejection::BreakerOpen, Some(refusal.retry_after()))),
        }
    }

    pub(super) fn full(&self) -> Refused {
        // About half of the calls that are out now will be back after the median.
        let hint = self.usual().unwrap_or(Duration::from_millis(100));
        self.refuse(Rejection::BulkheadFull, Some(hint))
    }

    #[inline]
    pub(super) fn turn(&self) -> Result<Turn<'a>, Refused> {
        let (now, quiet) = (self.now(), self.lane.quiet_until());
        if let Some(until) = self.lane.apart.until(self.request.operation, now) {
            return Err(self.refuse(Rejection::RateLimited, Some(until.since(now))));
        }
        let wait = match self.lane.limit.as_deref() {
            Some(Limiter::Local(limit)) => {
                let turn = limit.take_for(self.request.cost, now, quiet, self.patience());
                turn.map_err(|late| late.retry_after)
            }
            Some(Limiter::Shared(limit)) => return Ok(Turn::Ask(limit)),
            None if quiet > now => Err(quiet.since(now)),
            None => return Ok(Turn::Now),
        };
        match wait {
            Ok(Duration::ZERO) => Ok(Turn::Now),
            Ok(wait) => Ok(Turn::After(wait)),
            Err(retry_after) => Err(self.refuse(Rejection::RateLimited, Some(retry_after))),
        }
    }

    /// A call that waited goes out only if the breaker lets it still.
    pub(super) fn still(&self, permit: Option<Permit<'a>>) -> Result<Option<Permit<'a>>, Refused> {
        let (Some(breaker), Some(permit)) = (self.lane.breaker.as_deref(), permit) else { return Ok(None) };
        match breaker.renew(permit, self) {
            Ok(permit) => Ok(Some(permit)),
            Err(refusal) => Err(self.refuse(Rejection::BreakerOpen, Some(refusal.retry_after()))),
        }
    }

    #[inline]
    pub(super) fn refuse(&self, by: Rejection, retry_after: Option<Duration>) -> Refused {
        self.hear(&Event::Rejected { place: &self.place, by, retry_after });
        Refused { by, retry_after }
    }
}
