//! The two stages that a call may wait in: the bulkhead, and the limit.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use port::{Fault, Rejection};

use super::pass::{Cleared, Refused};
use super::{Pass, Run};
use crate::breaker::Permit;
use crate::bulkhead::{Bulkhead, Full, Place};
use crate::pipeline::Attempt;
use crate::shared::{Caller, SharedLimit};

/// What a call waits for, and what it holds meanwhile.
pub(crate) enum Wait<'a> {
    /// A place: there is room in the queue.
    Line(Option<Permit<'a>>, &'a Arc<Bulkhead>),
    /// Its turn.
    Turn(Cleared<'a>, Turn<'a>),
}

/// When a call may go out, as far as the limit is concerned.
pub(crate) enum Turn<'a> {
    Now,
    After(Duration),
    /// When the store says so that other nodes count in too.
    Ask(&'a SharedLimit),
}

impl<'a> Run<'a> {
    /// One attempt through the stages below the retry, waits included.
    pub(crate) async fn once<T, F: Future<Output = Result<T, Fault>>>(
        &self,
        send: &impl Fn(Attempt) -> F,
    ) -> Result<T, Fault> {
        match self.pass()? {
            Pass::Clear(cleared) => self.send(cleared, send).await,
            Pass::Wait(wait) => Box::pin(self.after(wait, send)).await,
        }
    }

    /// The same for a call that waits.
    pub(crate) async fn after<T, F: Future<Output = Result<T, Fault>>>(
        &self,
        wait: Wait<'a>,
        send: &impl Fn(Attempt) -> F,
    ) -> Result<T, Fault> {
        let cleared = self.wait(wait).await?;
        self.send(cleared, send).await
    }

    async fn wait(&self, wait: Wait<'a>) -> Result<Cleared<'a>, Refused> {
        let (cleared, turn) = match wait {
            Wait::Line(permit, bulkhead) => {
                let place = Some(self.line_up(bulkhead).await?);
                (Cleared { permit, place }, self.turn()?)
            }
            Wait::Turn(cleared, turn) => (cleared, turn),
        };
        self.await_turn(turn).await?;
        // The world may have changed while the call waited.
        let permit = self.still(cleared.permit)?;
        Ok(Cleared { permit, ..cleared })
    }

    async fn line_up(&self, bulkhead: &'a Arc<Bulkhead>) -> Result<Place<'a>, Refused> {
        let place = bulkhead.enter(self.guard.policy.priority, self.patience()).await;
        self.look();
        let place = place.map_err(|Full| self.full())?;
        self.room().map(|()| place)
    }

    async fn await_turn(&self, turn: Turn<'_>) -> Result<(), Refused> {
        let wait = match turn {
            Turn::Now => return Ok(()),
            Turn::After(wait) => wait,
            Turn::Ask(limit) => self.ask(limit).await?,
        };
        tokio::time::sleep(wait).await;
        self.look();
        self.room()
    }

    /// How long to wait for a turn of a limit that other nodes count too.
    async fn ask(&self, limit: &SharedLimit) -> Result<Duration, Refused> {
        let caller = Caller {
            world: &self.guard.world,
            entropy: self.request.entropy,
            place: &self.place,
            quiet_until: self.lane.quiet_until(),
            most: self.patience(),
            cost: self.request.cost,
        };
        let turn = limit.take(&caller).await;
        turn.map_err(|late| self.refuse(Rejection::RateLimited, Some(late.retry_after)))
    }
}
