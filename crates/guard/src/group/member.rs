//! One member of a group: how fast it answers, and how well it is.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use port::{Call, Clock, Ctx, Fault, Landed, Link, Outlook, Reply};

use super::MemberStatus;
use crate::classify::{Verdict, verdict};
use crate::median::Median;
use crate::policy::Classify;

pub(super) struct Member {
    link: Arc<dyn Link>,
    pub(super) weight: u32,
    median: Median,
    /// Out of `WELL`: how many of the calls that would go to it first do so. Halved by a failure, grown by a success,
    /// so a member that comes back is not run over. Never 0: somebody must find out that it is back.
    share: AtomicU32,
}

const WELL: u32 = 16;

impl Member {
    pub(super) fn new(link: Arc<dyn Link>, weight: u32) -> Self {
        Self { link, weight, median: Median::new(), share: AtomicU32::new(WELL) }
    }

    pub(super) fn name(&self) -> &Arc<str> {
        &self.link.spec().system
    }

    pub(super) fn outlook(&self, operation: &str, tenant: &str) -> Outlook {
        self.link.outlook(operation, tenant)
    }

    pub(super) async fn call(&self, ctx: &Ctx, call: &Call, clock: &dyn Clock) -> Result<Reply, Fault> {
        let started = clock.instant();
        let result = self.named(self.link.call(ctx, call.clone()).await);
        match verdict(result.as_ref().map(|_| ()), &Classify::default()) {
            Verdict::Good => {
                self.median.add(clock.instant().saturating_duration_since(started));
                self.grow();
            }
            Verdict::Bad { .. } | Verdict::Throttled { .. } => self.shrink(),
            Verdict::Neutral => {}
        }
        result
    }

    /// Says who acted, or may have.
    fn named(&self, result: Result<Reply, Fault>) -> Result<Reply, Fault> {
        let me = || Some(Arc::clone(self.name()));
        match result {
            Ok(reply) => Ok(Reply { member: me(), ..reply }),
            Err(fault) if fault.landed == Landed::No => Err(fault),
            Err(fault) => Err(Fault { member: me(), ..fault }),
        }
    }

    fn grow(&self) {
        let share = self.share.load(Ordering::Relaxed);
        if share < WELL {
            self.share.store(share + 1, Ordering::Relaxed);
        }
    }

    fn shrink(&self) {
        let share = self.share.load(Ordering::Relaxed);
        self.share.store((share / 2).max(1), Ordering::Relaxed);
    }

    /// Whether the `turn`th call goes to it as if it were well: `share` of each `WELL`, evenly spread.
    pub(super) fn has_its_turn(&self, turn: u64) -> bool {
        let share = u64::from(self.share.load(Ordering::Relaxed));
        turn % u64::from(WELL) * share % u64::from(WELL) < share
    }

    pub(super) fn status(&self) -> MemberStatus {
        let share_percent = self.share.load(Ordering::Relaxed) * 100 / WELL;
        MemberStatus { system: self.name().to_string(), share_percent }
    }

    /// How long it usually takes; one that nobody knows yet is tried first.
    pub(super) fn usual_time(&self) -> Duration {
        self.median.get().unwrap_or_default()
    }
}
