//! The purse that retries are paid from: one per system, shared by all its callers.

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
    pub fn withdraw(&self, throttled: bool) -> Option<Coin> {
        let cost = if throttled { self.prices.cost_throttled } else { self.prices.cost };
        if self.prices.capacity == 0 {
            return None;
        }
        let paid =
            self.tokens.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(cost));
        paid.ok().map(|_| Coin(cost))
    }

    /// A call succeeded: at the first attempt it pays in a little, later it gets back what its last retry cost.
    #[inline]
    pub fn succeeded(&self, paid: Option<Coin>) {
        let amount = paid.map_or(self.prices.refund, |coin| coin.0);
        if self.tokens.load(Ordering::Relaxed) >= self.prices.capacity {
            return;
        }
        // An error only says that another success filled the purse first.
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

/// What a retry cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coin(u32);

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn purse(capacity: u32) -> Purse {
        Purse::new(policy::Budget { capacity, ..policy::Budget::default() })
    }

    #[test]
    fn an_outage_empties_the_purse_and_then_nothing_is_retried() {
        let purse = purse(500);
        let retries = std::iter::repeat_with(|| purse.withdraw(false)).take_while(Option::is_some).count();
        assert_eq!(retries, 35, "500 / 14");
        assert!(purse.withdraw(true).is_some(), "ten tokens are left, a throttled retry costs five");
    }

    #[test]
    fn successes_pay_in_and_never_overfill() {
        let purse = purse(20);
        let coin = purse.withdraw(false);
        assert_eq!(purse.left(), 6);
        purse.succeeded(None);
        assert_eq!(purse.left(), 7);
        purse.succeeded(coin);
        assert_eq!(purse.left(), 20);
    }

    #[test]
    fn no_capacity_means_no_retries() {
        assert_eq!(purse(0).withdraw(true), None);
    }
}
