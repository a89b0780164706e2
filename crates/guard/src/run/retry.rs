//! The retry stage: what is tried again, when, and out of which purse.

use std::future::Future;
use std::time::Duration;

use port::{Fault, Kind, Landed, Repeat};

use super::Run;
use crate::backoff;
use crate::budget::Coin;
use crate::event::Event;
use crate::hedge;
use crate::landed::worse;
use crate::pipeline::Attempt;

/// What the attempts before came to.
struct Past {
    landed: Landed,
    coin: Option<Coin>,
    last: Option<Fault>,
}

impl Run<'_> {
    /// The retry stage, and the only one that tries again.
    pub(crate) async fn all<T, F: Future<Output = Result<T, Fault>>>(
        &self,
        send: &impl Fn(Attempt) -> F,
    ) -> Result<T, Fault> {
        let mut past = Past { landed: Landed::No, coin: None, last: None };
        loop {
            let fault = match self.copies(send).await {
                Ok(reply) => {
                    self.guard.purse.succeeded(past.coin);
                    return Ok(reply);
                }
                Err(fault) => fault,
            };
            past.landed = worse(past.landed, fault.landed);
            let Some((delay, coin)) = self.again(&fault) else { return Err(self.give_up(fault, past)) };
            let attempt = self.attempts() + 1;
            self.hear(&Event::RetryScheduled { place: self.place(), attempt, delay, fault: &fault });
            past = Past { coin: Some(coin), last: Some(fault), ..past };
            tokio::time::sleep(delay).await;
            self.look();
        }
    }

    /// One attempt, or several copies of it a while apart. Each copy passes all stages and is paid for like a retry.
    async fn copies<T, F: Future<Output = Result<T, Fault>>>(
        &self,
        send: &impl Fn(Attempt) -> F,
    ) -> Result<T, Fault> {
        let Some(hedge) = self.guard.policy.hedge.as_ref().filter(|_| self.request.repeat == Repeat::Safe)
        else {
            return self.once(send).await;
        };
        let mut copies = 0;
        let next = || {
            copies += 1;
            let paid = copies == 1 || copies <= hedge.max && self.guard.purse.withdraw(false).is_some();
            if paid && copies > 1 {
                self.look();
                self.hear(&Event::Hedged { place: self.place() });
            }
            paid.then(|| self.once(send))
        };
        hedge::race(hedge.after, next, |_| false).await
    }

    /// Whether to try again, after how long, and what was paid for it.
    fn again(&self, fault: &Fault) -> Option<(Duration, Coin)> {
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
            self.hear(&Event::BudgetSpent { place: self.place() });
        }
        coin.map(|coin| (delay, coin))
    }

    /// The call's fault: the last one, with the worst of what may have landed.
    fn give_up(&self, fault: Fault, past: Past) -> Fault {
        let fault = Fault { attempts: self.attempts(), landed: past.landed, ..fault };
        match past.last {
            Some(before) if fault.rejection.is_some() => fault.with("attempt", before.to_string()),
            _ => fault,
        }
    }
}
