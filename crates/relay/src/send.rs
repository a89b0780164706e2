//! Sending: one guarded call, within its time.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use port::{Call, Ctx, Fault, IdempotencyKey, Kind, Landed, Link, Operation, Reply, TraceContext, Witness};
use store::{OutboxRow, failpoint};
use tracing::Instrument;

use crate::running::Relay;
use crate::scribe::Scribe;
use crate::tell::Tell;

/// A system that looks at the deadline answers by itself, and can say more: which member of a group was asked.
const GRACE: Duration = Duration::from_millis(100);

/// Whom a row is for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target<'a> {
    pub(crate) system: &'a str,
    pub(crate) operation: &'a str,
}

impl<'a> Target<'a> {
    pub(crate) fn of(target: &'a str) -> Self {
        let (system, operation) = target.split_once('.').unwrap_or((target, ""));
        Self { system, operation }
    }

    /// The same at a member of a group.
    pub(crate) fn at(self, member: Option<&'a str>) -> Self {
        Self { system: member.unwrap_or(self.system), ..self }
    }
}

/// Which member of a group a message goes to.
pub(crate) enum Asked {
    /// The one that may have it; none when it goes to no group.
    Bound(Option<String>),
    /// This one first, and another only when it certainly did not take it.
    First(Arc<str>),
}

impl Relay {
    /// The operation that a row is for; `None` when it is not configured.
    pub(crate) fn operation(&self, target: Target<'_>) -> Option<&Operation> {
        self.0.deps.systems.get(target.system)?.spec().operation(target.operation)
    }

    /// One guarded call, and the member of a group that was asked last.
    pub(crate) async fn send(
        &self,
        row: &OutboxRow,
        tell: &Tell,
        target: Target<'_>,
        asked: Asked,
    ) -> (Result<Reply, Fault>, Option<String>) {
        match asked {
            Asked::Bound(member) => (self.send_to(row, tell, target, None).await, member),
            Asked::First(first) => {
                let scribe = Arc::new(Scribe::of(self, row, tell, (target, first)));
                let outcome = self.send_to(row, tell, target, Some(scribe.clone())).await;
                (outcome, Some(scribe.last()))
            }
        }
    }

    /// A deadline ends it even when the system does not look at it: then nobody knows.
    async fn send_to(
        &self,
        row: &OutboxRow,
        tell: &Tell,
        target: Target<'_>,
        witness: Option<Arc<Scribe>>,
    ) -> Result<Reply, Fault> {
        let Some(link) = self.0.deps.systems.get(target.system) else {
            return Err(Fault::new(Kind::Internal, Landed::No, "unknown system"));
        };
        let witness = witness.map(|scribe| scribe as Arc<dyn Witness>);
        let ctx = Ctx { witness, ..self.ctx(row, tell) };
        let call = Call {
            operation: target.operation.into(),
            input: tell.input.clone().into(),
            key: IdempotencyKey::new(&tell.key),
        };
        failpoint("relay.sending");
        let sending = landing(&**link, &ctx, call).instrument(span(&ctx, tell));
        let outcome = tokio::time::timeout(self.0.deps.limits.timeout + GRACE, sending).await;
        failpoint("relay.sent");
        outcome.unwrap_or_else(|_| {
            Err(Fault::new(Kind::Timeout, Landed::Unknown, "no answer within the delivery's timeout"))
        })
    }

    fn ctx(&self, row: &OutboxRow, tell: &Tell) -> Ctx {
        let deps = &self.0.deps;
        let ctx = Ctx::held(
            row.tenant.as_str(),
            row.correlation.as_str(),
            deps.clock.clone(),
            deps.entropy.clone(),
        );
        let trace = tell.trace.as_deref().and_then(TraceContext::parse).unwrap_or(ctx.trace);
        let causation = format!("{}/{}", tell.run, tell.step);
        Ctx { causation: Some(causation.into()), trace, ..ctx }.within(deps.limits.timeout)
    }
}

/// Marks every line of the log that is written during the call, the guard's too, which knows nothing of runs.
fn span(ctx: &Ctx, tell: &Tell) -> tracing::Span {
    // At the level of errors, so that it is there however little is logged.
    tracing::error_span!(
        "call",
        correlation_id = &*ctx.correlation,
        trace_id = %format_args!("{:032x}", ctx.trace.trace_id),
        span_id = %format_args!("{:016x}", ctx.trace.span_id),
        run = tell.run,
        step = tell.step
    )
}

/// A call whose adapter panics has ended, and nobody knows whether it landed.
async fn landing(link: &dyn Link, ctx: &Ctx, call: Call) -> Result<Reply, Fault> {
    AssertUnwindSafe(async { link.call(ctx, call).await }).catch_unwind().await.unwrap_or_else(|_| {
        Err(Fault::new(Kind::Internal, Landed::Unknown, "the adapter panicked; its log says where"))
    })
}
