//! Whether a message has arrived, when nobody knows: asked as its operation says, and judged by the definition that its run
//! has pinned, also when that run has ended.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use port::{Ctx, Fault, Kind, Landed};
use relay::{Look, Tell};
use serde_json::Value;
use store::OutboxRow;
use tracing::Instrument;

use super::Engine;
use super::call::{Cause, LONGEST};

impl relay::LooksUp for Engine {
    fn look<'a>(
        &'a self,
        row: &'a OutboxRow,
        tell: &'a Tell,
        look: &'a Look,
    ) -> BoxFuture<'a, Result<Option<Value>, Fault>> {
        self.look_for(row, tell, look).boxed()
    }
}

impl Engine {
    async fn look_for(&self, row: &OutboxRow, tell: &Tell, look: &Look) -> Result<Option<Value>, Fault> {
        let loaded = self.load(&tell.run).await.map_err(|error| cannot(error.to_string()))?;
        let verify =
            loaded.state.verify(&tell.step).ok_or_else(|| cannot("its step says no more how".into()))?;
        let cause = Cause {
            tenant: &row.tenant,
            correlation: &row.correlation,
            trace: tell.trace.as_deref(),
            run: &tell.run,
            step: &tell.step,
        };
        // Whether it arrived is not to be had from an answer of before it.
        let ctx = Ctx { fresh: true, ..self.ctx(&cause, Some(LONGEST)) };
        let (system, operation) = (&verify.call.system, &verify.call.operation);
        let asking = self.call(&ctx, system, operation, look.with.clone(), None);
        let answer = match asking.instrument(cause.span(&ctx)).await {
            Ok(reply) => Some(reply.output),
            Err(fault) if fault.kind == Kind::NotFound => None,
            Err(fault) => return Err(fault),
        };
        loaded.state.message_seen(tell, look, answer.as_ref()).map_err(|error| cannot(error.message))
    }
}

fn cannot(why: String) -> Fault {
    Fault::new(Kind::Internal, Landed::No, "cannot be looked up").with("cause", why)
}
