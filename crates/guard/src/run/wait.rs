//! The two stages that a call may wait in: the bulkhead, and the limit.

use std::sync::Arc;
use std::time::Duration;

use port::{Fault, Rejection};

use super::Run;
use crate::breaker::Scene;
use crate::bulkhead::{Bulkhead, Full, Place};
use crate::limiter::Limiter;
use crate::shared::{Caller, SharedLimit};

/// What the bulkhead says.
pub(super) enum Entry<'a> {
    /// There is a place, or no bulkhead.
    In(Option<Place<'a>>),
    /// There is room in its queue.
    Line(&'a Arc<Bulkhead>),
}

/// When a call may go out, as far as the limit is concerned.
pub(super) enum Turn<'a> {
    Now,
    After(Duration),
    /// When the store says so that other nodes count in too.
    Ask(&'a SharedLimit),
}

impl<'a> Run<'a> {
    #[inline]
    pub(super) fn enter(&self) -> Result<Entry<'a>, Fault> {
        let Some(bulkhead) = &self.lane.bulkhead else { return Ok(Entry::In(None)) };
        match bulkhead.try_enter() {
            Some(place) => Ok(Entry::In(Some(place))),
            None if bulkhead.has_room_to_wait() => Ok(Entry::Line(bulkhead)),
            None => Err(self.full()),
        }
    }

    #[cold]
    fn full(&self) -> Fault {
        // About half of the calls that are out now will be back after the median.
        let hint = self.usual().unwrap_or(Duration::from_millis(100));
        self.reject(Rejection::BulkheadFull, Some(hint))
    }

    pub(super) async fn line_up(&self, bulkhead: &'a Arc<Bulkhead>) -> Result<Place<'a>, Fault> {
        let place = bulkhead.enter(self.guard.policy.priority, self.remaining()).await;
        self.look();
        let place = place.map_err(|Full| self.full())?;
        self.room().map(|()| place)
    }

    #[inline]
    pub(super) fn turn(&self) -> Result<Turn<'a>, Fault> {
        let (now, quiet) = (self.now(), self.lane.quiet_until());
        let wait = match self.lane.limit.as_deref() {
            Some(Limiter::Local(limit)) => {
                limit.take(now, quiet, self.remaining()).map_err(|late| late.retry_after)
            }
            Some(Limiter::Shared(limit)) => return Ok(Turn::Ask(limit)),
            None if quiet > now => Err(quiet.since(now)),
            None => return Ok(Turn::Now),
        };
        match wait {
            Ok(Duration::ZERO) => Ok(Turn::Now),
            Ok(wait) => Ok(Turn::After(wait)),
            Err(retry_after) => Err(self.reject(Rejection::RateLimited, Some(retry_after))),
        }
    }

    pub(super) async fn await_turn(&self, turn: Turn<'_>) -> Result<(), Fault> {
        let wait = match turn {
            Turn::Now => Duration::ZERO,
            Turn::After(wait) => wait,
            Turn::Ask(limit) => self.ask(limit).await?,
        };
        tokio::time::sleep(wait).await;
        self.look();
        self.room()
    }

    /// How long to wait for a turn of a limit that other nodes count too.
    async fn ask(&self, limit: &SharedLimit) -> Result<Duration, Fault> {
        let caller = Caller {
            world: &self.guard.world,
            entropy: self.request.entropy,
            place: &self.place,
            quiet_until: self.lane.quiet_until(),
            most: self.remaining(),
        };
        let turn = limit.take(&caller).await;
        turn.map_err(|late| self.reject(Rejection::RateLimited, Some(late.retry_after)))
    }
}
