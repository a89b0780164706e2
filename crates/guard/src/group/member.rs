//! One member of a group: how fast it answers, and how well it is.

use std::sync::Arc;
use std::time::Duration;

use port::{Call, Clock, Ctx, Fault, Landed, Link, Outlook, Reply};

use super::MemberStatus;
use super::standing::{Pace, Standing};
use crate::classify::{Verdict, verdict};
use crate::policy::Classify;

pub(super) struct Member {
    link: Arc<dyn Link>,
    pub(super) weight: u32,
    pub(super) pace: Pace,
    pub(super) standing: Standing,
}

impl Member {
    pub(super) fn new(link: Arc<dyn Link>, weight: u32) -> Self {
        Self { link, weight, pace: Pace::unknown(), standing: Standing::well() }
    }

    pub(super) fn name(&self) -> &Arc<str> {
        &self.link.spec().system
    }

    pub(super) fn outlook(&self, operation: &str, tenant: &str) -> Outlook {
        self.link.outlook(operation, tenant)
    }

    pub(super) fn limit(&self, operation: &str) -> Option<Duration> {
        self.link.limit(operation)
    }

    pub(super) async fn probe(&self, ctx: &Ctx) -> Result<(), Fault> {
        self.link.probe(ctx).await
    }

    pub(super) async fn call(&self, ctx: &Ctx, call: &Call, clock: &dyn Clock) -> Result<Reply, Fault> {
        let started = clock.instant();
        let result = self.named(self.link.call(ctx, call.clone()).await);
        match verdict(result.as_ref().map(|_| ()), &Classify::default()) {
            Verdict::Good => {
                self.pace.add(clock.instant().saturating_duration_since(started), clock.nanos());
                self.standing.grow();
            }
            Verdict::Bad { .. } | Verdict::Throttled { .. } => self.standing.shrink(),
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

    pub(super) fn status(&self) -> MemberStatus {
        MemberStatus { system: self.name().to_string(), share_percent: self.standing.percent() }
    }
}
