//! How well a member is, and how fast.

use std::time::Duration;

use crate::sync::{AtomicU32, AtomicU64, Ordering};
use crate::tick::nanos;

const WELL: u32 = 16;

/// How many of the calls that would go to a member first do so. Halved by a failure, grown by a success, so a member that
/// comes back is not run over. Never none: somebody must find out that it is back.
pub(super) struct Standing {
    /// Out of `WELL`.
    share: AtomicU32,
    /// Grows by the share with each call that would go to it first; each time it passes a multiple of `WELL`, one does.
    /// Counted here and not by the group's turns: a share of these would meet the member's own turn always or never.
    credit: AtomicU32,
}

impl Standing {
    pub(super) fn well() -> Self {
        Self { share: AtomicU32::new(WELL), credit: AtomicU32::new(0) }
    }

    /// It answered.
    pub(super) fn grow(&self) {
        self.change(|share| (share + 1).min(WELL));
    }

    /// It failed.
    pub(super) fn shrink(&self) {
        self.change(|share| (share / 2).max(1));
    }

    /// Another that was asked later answered before it.
    pub(super) fn slip(&self) {
        self.change(|share| share.saturating_sub(1).max(1));
    }

    fn change(&self, to: impl Fn(u32) -> u32) {
        // The closure always says yes.
        let _ = self.share.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |share| Some(to(share)));
    }

    /// Whether this call, which would go to it first, does.
    pub(super) fn takes(&self) -> bool {
        let share = self.share.load(Ordering::Relaxed);
        // Wraps at a multiple of `WELL`.
        let before = self.credit.fetch_add(share, Ordering::Relaxed) % WELL;
        before + share >= WELL
    }

    pub(super) fn percent(&self) -> u32 {
        self.share.load(Ordering::Relaxed) * 100 / WELL
    }
}

/// How fast it answered lately.
pub(super) struct Pace {
    /// In nanoseconds; 0 while nobody knows.
    lately: AtomicU64,
    /// When that was learned, by the clock's nanoseconds.
    learned: AtomicU64,
    /// When a call was last sent to find out.
    sent: AtomicU64,
}

/// What was learned so long ago says nothing any more: one call finds out again.
const LOOK_AGAIN: Duration = Duration::from_secs(30);
/// How much one answer counts that comes right after another.
const NEW: f64 = 0.2;

impl Pace {
    pub(super) fn unknown() -> Self {
        Self { lately: AtomicU64::new(0), learned: AtomicU64::new(0), sent: AtomicU64::new(0) }
    }

    /// It answered. After a long silence that is all that is known of it.
    pub(super) fn add(&self, took: Duration, now: u64) {
        let before = self.lately.load(Ordering::Relaxed);
        let silence = Duration::from_nanos(now.saturating_sub(self.learned.swap(now, Ordering::Relaxed)));
        let counts = (silence.as_secs_f64() / LOOK_AGAIN.as_secs_f64()).clamp(NEW, 1.0);
        let took = nanos(took).max(1);
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "an estimate"
        )]
        let mixed = (before as f64 + (took as f64 - before as f64) * counts) as u64;
        self.lately.store(if before == 0 { took } else { mixed.max(1) }, Ordering::Relaxed);
    }

    /// In nanoseconds; one that nobody knows yet is tried first.
    pub(super) fn lately(&self) -> u64 {
        self.lately.load(Ordering::Relaxed)
    }

    /// Whether this call is to find out how fast it is now: once in a while, one of all that ask.
    pub(super) fn is_due(&self, now: u64) -> bool {
        let long_ago = |at: u64| now.saturating_sub(at) >= nanos(LOOK_AGAIN);
        let sent = self.sent.load(Ordering::Relaxed);
        let due = self.lately() > 0 && long_ago(self.learned.load(Ordering::Relaxed)) && long_ago(sent);
        due && self.sent.compare_exchange(sent, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_of_the_calls_that_would_come_first() {
        let standing = Standing::well();
        for share in [16, 8, 4, 2, 1, 1] {
            let taken = (0..1600).filter(|_| standing.takes()).count();
            assert_eq!(taken, share * 100, "of 1,600 with a share of {share}");
            standing.shrink();
        }
        (0..20).for_each(|_| standing.grow());
        assert_eq!(standing.percent(), 100);
        (0..20).for_each(|_| standing.slip());
        assert_eq!(standing.percent(), 6, "never none");
    }

    #[test]
    fn what_was_long_ago_counts_for_nothing() {
        let (pace, second) = (Pace::unknown(), 1_000_000_000);
        pace.add(Duration::from_secs(3), second);
        pace.add(Duration::from_secs(1), second);
        assert!((2.5e9..2.7e9).contains(&(pace.lately() as f64)), "{}", pace.lately());
        assert!(!pace.is_due(30 * second), "it was learned 29 seconds ago");
        assert!(pace.is_due(31 * second) && !pace.is_due(31 * second), "one call finds out");
        pace.add(Duration::from_millis(10), 31 * second);
        assert_eq!(pace.lately(), 10_000_000, "what was before is forgotten");
    }
}
