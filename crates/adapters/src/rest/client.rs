//! One operation: build the request, exchange it, read the answer.

use std::collections::BTreeMap;

use port::{Call, Ctx, Fault, Reply};

use super::content::Output;
use super::operation::Plan;
use super::{answer, fault, request};
use crate::http;

/// Performs operations against one base address.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) http: http::Client,
    pub(super) operations: BTreeMap<String, Plan>,
}

impl Client {
    /// Performs `call`. Dropping the future closes the exchange; after the first poll the call may have landed.
    pub(super) async fn perform(&self, ctx: &Ctx, plan: &Plan, call: &Call) -> Result<Reply, Fault> {
        let answered = self.exchange(ctx, plan, call).await;
        match plan.output {
            Output::Bytes => self.http.scrubbed_around_bytes(answered),
            _ => self.http.scrubbed(answered),
        }
    }

    async fn exchange(&self, ctx: &Ctx, plan: &Plan, call: &Call) -> Result<Reply, Fault> {
        let request = request::build(self.http.base(), plan, call)?;
        let answer = self.http.send(ctx, request, plan.limit).await?;
        if answer::is_success(answer.status(), plan) {
            return answer::success(answer, plan, &self.http).await;
        }
        let wait = answer.retry_after(ctx.clock.now());
        let fault = fault::of_status(answer.status().as_u16(), wait, plan);
        Err(self.http.explained(fault, answer).await)
    }
}
