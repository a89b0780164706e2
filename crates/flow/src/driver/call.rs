//! Performing a call: through the guarded system, under its key, within its time, one of a bounded number.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use port::{Call, Ctx, Fault, IdempotencyKey, Kind, Landed, Reply};
use store::failpoint;

use super::Engine;
use super::runner::{Home, Runner};
use crate::core::Effect;

impl Runner {
    pub(super) fn launch(&mut self, effect: Effect) {
        let effect = Arc::new(effect);
        self.aloft.insert(effect.path.clone(), effect.clone());
        let engine = self.engine.clone();
        let start = &self.state.start;
        let causation = format!("{}/{}", self.run, effect.path);
        let (tenant, correlation) = (start.tenant.clone(), start.correlation.clone());
        let flight = async move {
            let _permit = engine.0.calls.acquire().await;
            let begun = engine.0.clock.instant();
            let ctx = engine.ctx(&tenant, &correlation, causation, effect.timeout);
            let key = Some(effect.key.as_str());
            let outcome =
                engine.call(&ctx, &effect.system, &effect.operation, effect.input.clone(), key).await;
            let took = engine.0.clock.instant().saturating_duration_since(begun);
            Home { effect, outcome, took }
        };
        self.flights.push(flight.boxed());
    }
}

impl Engine {
    pub(super) fn ctx(
        &self,
        tenant: &str,
        correlation: &str,
        causation: String,
        timeout: Option<Duration>,
    ) -> Ctx {
        let ctx = Ctx::held(tenant, correlation, self.0.clock.clone(), self.0.entropy.clone());
        let ctx = Ctx { causation: Some(causation.into()), ..ctx };
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
        let call = Call { operation: operation.into(), input, key: key.and_then(IdempotencyKey::new) };
        failpoint("flow.calling");
        let calling = link.call(ctx, call);
        let outcome = match ctx.remaining() {
            None => calling.await,
            Some(left) => tokio::time::timeout(left, calling).await.unwrap_or_else(|_| {
                Err(Fault::new(Kind::Timeout, Landed::Unknown, "no answer within the step's timeout"))
            }),
        };
        failpoint("flow.called");
        outcome
    }
}
