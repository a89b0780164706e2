//! The purse that retries are paid from: one per system, shared by all its callers.

use std::sync::atomic::AtomicBool;

use crate::policy;
use crate::sync::{AtomicU32, Ordering};

/// Tokens for retries. Lock-free; a full purse costs a success one load.
pub struct Purse {
    tokens: AtomicU32,
    prices: policy::Budget,
}

impl Purse {
    /// A full purse.
    pub fn new(prices: policy::Budget) -> Self {
        Self { tokens: AtomicU32::new(prices.capacity), prices }
    }

    /// Pays for one retry. `None` when there is not enough: then the call must not be tried again.
    pub fn withdraw(&self, throttled: bool) -> Option<Coin<'_>> {
        let cost = if throttled { self.prices.cost_throttled } else { self.prices.cost };
        if self.prices.capacity == 0 {
            return None;
        }
        let paid =
            self.tokens.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(cost));
        paid.ok().map(|_| Coin { purse: self, cost, spent: AtomicBool::new(false) })
    }

    /// A call succeeded at the first attempt: it pays in a little.
    #[inline]
    pub fn succeeded(&self) {
        if self.tokens.load(Ordering::Relaxed) < self.prices.capacity {
            self.pay_in(self.prices.refund);
        }
    }

    fn pay_in(&self, amount: u32) {
        // An error only says that others filled the purse first.
        let _ = self.tokens.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
            (left < self.prices.capacity).then(|| left.saturating_add(amount).min(self.prices.capacity))
        });
    }

    /// Tokens left.
    pub fn left(&self) -> u32 {
        self.tokens.load(Ordering::Relaxed)
    }

    /// Tokens when full.
    pub fn capacity(&self) -> u32 {
        self.prices.capacity
    }
}

/// What one retry costs. Dropped before that retry was sent, it goes back into the purse: who is kept in by another
/// stage, or goes away while waiting, has not burdened the system.
#[must_use = "a coin that is dropped at once pays for nothing"]
pub struct Coin<'a> {
    purse: &'a Purse,
    cost: u32,
    spent: AtomicBool,
}

impl Coin<'_> {
    /// The retry leaves the house.
    pub fn spend(&self) {
        self.spent.store(true, Ordering::Relaxed);
    }

    /// The retry succeeded: what it cost goes back.
    pub fn won(self) {
        self.spent.store(false, Ordering::Relaxed);
    }
}

impl Drop for Coin<'_> {
    fn drop(&mut self) {
        if !self.spent.load(Ordering::Relaxed) {
            self.purse.pay_in(self.cost);
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn purse(capacity: u32) -> Purse {
        Purse::new(policy::Budget { capacity, ..policy::Budget::default() })
    }

    /// Pays for a retry that is sent; whether there was enough.
    fn sent(purse: &Purse, throttled: bool) -> bool {
        purse.withdraw(throttled).inspect(Coin::spend).is_some()
    }

    #[test]
    fn an_outage_empties_the_purse_and_then_nothing_is_retried() {
        let purse = purse(500);
        let retries = std::iter::repeat_with(|| sent(&purse, false)).take_while(|paid| *paid).count();
        assert_eq!(retries, 35, "500 / 14");
        assert!(sent(&purse, true), "ten tokens are left, a throttled retry costs five");
    }

    #[test]
    fn successes_pay_in_and_never_overfill() {
        let purse = purse(20);
        let coin = purse.withdraw(false).unwrap();
        coin.spend();
        assert_eq!(purse.left(), 6);
        purse.succeeded();
        assert_eq!(purse.left(), 7);
        coin.won();
        assert_eq!(purse.left(), 20);
    }

    #[test]
    fn a_coin_that_was_not_spent_goes_back() {
        let purse = purse(20);
        drop(purse.withdraw(false));
        assert_eq!(purse.left(), 20);
        assert!(sent(&purse, false));
        assert_eq!(purse.left(), 6);
    }

    #[test]
    fn no_capacity_means_no_retries() {
        assert!(purse(0).withdraw(true).is_none());
    }
}
