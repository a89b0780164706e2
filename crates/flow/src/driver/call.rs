//! Performing a call: through the guarded system, under its key, within its time, one of a bounded number.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use port::{Call, Ctx, Fault, IdempotencyKey, Kind, Landed, Reply, TraceContext};
use store::failpoint;
use tracing::Instrument;

use super::Engine;
use super::runner::{Home, Runner};
use crate::core::Effect;

/// A system that looks at the deadline answers by itself, and can say more: which member of a group was asked.
const GRACE: Duration = Duration::from_millis(100);

/// The longest a call takes that nobody bounds.
pub(super) const LONGEST: Duration = Duration::from_secs(60);

/// Why a call is made, and on whose behalf.
pub(super) struct Cause<'a> {
    pub(super) tenant: &'a str,
    pub(super) correlation: &'a str,
    /// A `traceparent` to continue.
    pub(super) trace: Option<&'a str>,
    pub(super) run: &'a str,
    pub(super) step: &'a str,
}

impl Runner {
    pub(super) fn launch(&mut self, effect: Effect) {
        let effect = Arc::new(effect);
        self.hold(&effect);
        self.out.insert(effect.path.clone());
        let witness = self.witness(&effect);
        let passage = self.passage(&effect);
        let (engine, start) = (self.engine.clone(), self.state.start.clone());
        let trace = self.state.step_trace(&effect.path);
        let flight = async move {
            let passage = match passage {
                Ok(passage) => passage,
                Err(fault) => return Home { effect, outcome: Err(fault), took: Duration::ZERO },
            };
            let _permit = engine.0.shares.permit(&effect.system).await;
            // It may have waited long for its permit.
            if let Err(error) = engine.0.store.must_hold() {
                let fault = Fault::new(Kind::Internal, Landed::No, error.to_string());
                return Home { effect, outcome: Err(fault), took: Duration::ZERO };
            }
            let begun = engine.0.clock.instant();
            let cause = Cause {
                tenant: &start.tenant,
                correlation: &start.correlation,
                trace: trace.as_deref(),
                run: &start.run,
                step: &effect.path,
            };
            // Whether a step landed is not to be had from an answer of before it.
            let fresh = effect.purpose.asks();
            let ctx = Ctx { witness, fresh, ..engine.ctx(&cause, Some(engine.limit(&effect))) };
            let key = Some(effect.key.as_str());
            let calling = engine.call(&ctx, &effect.system, &effect.operation, effect.input.clone(), key);
            let outcome = calling.instrument(cause.span(&ctx)).await;
            if let Some(passage) = passage {
                passage.ends(&outcome);
            }
            let took = engine.0.clock.instant().saturating_duration_since(begun);
            Home { effect, outcome, took }
        };
        self.flights.push(flight.boxed());
    }
}

impl Runner {
    /// Keeps a call for a dead letter. One that only finds out whether a step landed is not what would be sent again.
    pub(super) fn hold(&mut self, effect: &Arc<Effect>) {
        let held = self.aloft.entry(effect.path.clone()).or_insert_with(|| effect.clone());
        if !effect.purpose.asks() {
            *held = effect.clone();
        }
    }
}

impl Cause<'_> {
    /// Marks every line of the log that is written during the call, the guard's too, which knows nothing of runs.
    pub(super) fn span(&self, ctx: &Ctx) -> tracing::Span {
        // At the level of errors, so that it is there however little is logged.
        tracing::error_span!(
            "call",
            correlation_id = self.correlation,
            trace_id = %format_args!("{:032x}", ctx.trace.trace_id),
            span_id = %format_args!("{:016x}", ctx.trace.span_id),
            run = self.run,
            step = self.step
        )
    }
}

impl Engine {
    /// The longest a call may take: what its step says, or its system's guard, or else a bound of ours.
    fn limit(&self, effect: &Effect) -> Duration {
        let guards = || self.0.systems.get(&effect.system)?.limit(&effect.operation);
        effect.timeout.or_else(guards).unwrap_or(LONGEST)
    }

    /// After this nothing of a call that is sent now leaves the house.
    pub(super) fn leaves_until(&self, effect: &Effect) -> jiff::Timestamp {
        let limit = jiff::SignedDuration::try_from(self.limit(effect)).unwrap_or_default();
        self.0.clock.now().checked_add(limit).unwrap_or(jiff::Timestamp::MAX)
    }

    pub(super) fn ctx(&self, cause: &Cause<'_>, timeout: Option<Duration>) -> Ctx {
        let ctx = Ctx::held(cause.tenant, cause.correlation, self.0.clock.clone(), self.0.entropy.clone());
        let causation = format!("{}/{}", cause.run, cause.step);
        let trace = cause.trace.and_then(TraceContext::parse).unwrap_or(ctx.trace);
        let ctx = Ctx { causation: Some(causation.into()), trace, ..ctx };
        match timeout {
            Some(timeout) => ctx.within(timeout),
            None => ctx,
        }
    }

    /// One guarded call. A deadline ends it even when the system does not look at it: then nobody knows.
    pub(super) async fn call(
        &self,
        ctx: &Ctx,
        system: &str,
        operation: &str,
        input: serde_json::Value,
        key: Option<&str>,
    ) -> Result<Reply, Fault> {
        let missing = || {
            Fault::new(Kind::Invalid, Landed::No, "unknown operation")
                .with("operation", format!("{system}.{operation}"))
        };
        let link = self.0.systems.get(system).ok_or_else(missing)?;
        if link.spec().operation(operation).is_none() {
            return Err(missing());
        }
        let call =
            Call { operation: operation.into(), input: input.into(), key: key.and_then(IdempotencyKey::new) };
        failpoint("flow.calling");
        let calling = landing(async { link.call(ctx, call).await });
        let outcome = match ctx.remaining() {
            None => calling.await,
            Some(left) => tokio::time::timeout(left + GRACE, calling).await.unwrap_or_else(|_| {
                Err(Fault::new(Kind::Timeout, Landed::Unknown, "no answer within the step's timeout"))
            }),
        };
        failpoint("flow.called");
        outcome
    }
}

/// A call whose adapter panics has ended, and nobody knows whether it landed.
async fn landing(calling: impl Future<Output = Result<Reply, Fault>>) -> Result<Reply, Fault> {
    AssertUnwindSafe(calling).catch_unwind().await.unwrap_or_else(|_| {
        Err(Fault::new(Kind::Internal, Landed::Unknown, "the adapter panicked; its log says where"))
    })
}
