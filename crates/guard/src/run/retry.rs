//! The retry stage: what is tried again, when, and out of which purse.

use std::future::Future;
use std::time::Duration;

use port::{Fault, Kind, Repeat};

use super::Run;
use super::copy::Copy;
use crate::backoff;
use crate::budget::Coin;
use crate::event::Event;
use crate::hedge;
use crate::landed::worse;
use crate::pipeline::Attempt;
use crate::policy::Hedge;

/// How each try of a call is made.
pub(crate) enum First<'a> {
    /// One attempt.
    Alone,
    /// Several copies of it, a while apart.
    Hedged(&'a Hedge),
}

/// A try to come: after how long, and what was paid for it.
pub(crate) struct Next<'a> {
    delay: Duration,
    coin: Coin<'a>,
}

impl<'a> Run<'a> {
    #[inline]
    pub(crate) fn first(&self) -> First<'a> {
        match &self.guard.policy.hedge {
            Some(hedge) if self.request.repeat == Repeat::Safe => First::Hedged(hedge),
            _ => First::Alone,
        }
    }

    /// The first try went well.
    #[inline]
    pub(crate) fn succeeded(&self) {
        self.guard.purse.succeeded();
    }

    /// The tries after the first, until one goes well or there is no next.
    pub(crate) async fn retry<T, F: Future<Output = Result<T, Fault>>>(
        &self,
        mut next: Next<'a>,
        first: &Fault,
        send: &impl Fn(Attempt) -> F,
    ) -> Result<T, Fault> {
        let (mut landed, mut before) = (first.landed, None);
        loop {
            let fault = before.as_ref().unwrap_or(first);
            let (attempt, delay) = (self.attempts() + 1, next.delay);
            self.hear(&Event::RetryScheduled { place: &self.place, attempt, delay, fault });
            tokio::time::sleep(delay).await;
            self.look();
            let sending = |attempt| {
                next.coin.spend();
                send(attempt)
            };
            let last = match self.try_once(&sending).await {
                Ok(reply) => {
                    next.coin.won();
                    return Ok(reply);
                }
                Err(last) => last,
            };
            landed = worse(landed, last.landed);
            match self.again(&last) {
                Some(more) => (next, before) = (more, Some(last)),
                None => return Err(self.give_up(Fault { landed, ..last }, fault)),
            }
        }
    }

    async fn try_once<T, F: Future<Output = Result<T, Fault>>>(
        &self,
        send: &impl Fn(Attempt) -> F,
    ) -> Result<T, Fault> {
        match self.first() {
            First::Alone => self.once(send).await,
            First::Hedged(hedge) => self.race(hedge, send).await,
        }
    }

    /// Several copies of an attempt. Each passes all stages and is paid for like a retry.
    pub(crate) async fn race<T, F: Future<Output = Result<T, Fault>>>(
        &self,
        hedge: &Hedge,
        send: &impl Fn(Attempt) -> F,
    ) -> Result<T, Fault> {
        let mut copies = 0;
        let next = || {
            copies += 1;
            let coin = match copies {
                1 => None,
                _ if copies > hedge.max => return None,
                _ => Some(self.guard.purse.withdraw(false)?),
            };
            if coin.is_some() {
                self.look();
                self.hear(&Event::Hedged { place: &self.place });
            }
            Some(self.copy(coin, send))
        };
        hedge::race(hedge.after, next, |_| false).await
    }

    async fn copy<T, F: Future<Output = Result<T, Fault>>>(
        &self,
        coin: Option<Coin<'a>>,
        send: &impl Fn(Attempt) -> F,
    ) -> Result<T, Fault> {
        let copy = Copy::of(self);
        let sending = |attempt: Attempt| {
            coin.iter().for_each(Coin::spend);
            copy.leaves(attempt.number);
            send(attempt)
        };
        let result = self.once(&sending).await;
        copy.came_back();
        result
    }

    /// Whether to try again, after how long, and what was paid for it.
    pub(crate) fn again(&self, fault: &Fault) -> Option<Next<'a>> {
        let retry = &self.guard.policy.retry;
        let made = self.attempts();
        // A guard's rejection is not tried again here: it costs no budget and becomes the caller's durable retry.
        let may = fault.rejection.is_none() && fault.may_resend(self.request.repeat, self.request.keyed);
        if !may || made >= retry.max_attempts.get() {
            return None;
        }
        let delay = backoff::wait(retry, made + 1, fault, self.request.entropy)?;
        let usual = self.usual().unwrap_or_default();
        if self.remaining().is_some_and(|left| left <= delay + usual) {
            return None;
        }
        let coin = self.guard.purse.withdraw(fault.kind == Kind::Throttled);
        if coin.is_none() {
            self.hear(&Event::BudgetSpent { place: &self.place });
        }
        coin.map(|coin| Next { delay, coin })
    }

    /// The call's fault after several tries: the last one. If that only says that a guard kept the call in, the one
    /// before is told with it.
    fn give_up(&self, last: Fault, before: &Fault) -> Fault {
        let fault = Fault { attempts: self.attempts(), ..last };
        match fault.rejection {
            Some(_) => fault.with("attempt", before.to_string()),
            None => fault,
        }
    }
}
