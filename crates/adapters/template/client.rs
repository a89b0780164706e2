//! One exchange.

use http::{HeaderMap, HeaderValue, Method};
use port::{Call, Ctx, Fault, Reply, Status};
use serde_json::Value;

use super::fault;
use crate::http::Request;

/// Asks one system.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) http: crate::http::Client,
}

impl Client {
    /// Performs `call`. Dropping the future closes the exchange; after the first poll the call may have landed.
    pub(super) async fn perform(&self, ctx: &Ctx, call: &Call) -> Result<Reply, Fault> {
        let answered = self.exchange(ctx, call).await;
        self.http.scrubbed(answered)
    }

    async fn exchange(&self, ctx: &Ctx, call: &Call) -> Result<Reply, Fault> {
        let answer = self.http.send(ctx, self.request(call)?, None).await?;
        let status = answer.status();
        if !status.is_success() {
            let wait = answer.retry_after(ctx.clock.now());
            return Err(self.http.explained(fault::of_status(status.as_u16(), wait), answer).await);
        }
        let output = Value::String(String::from_utf8_lossy(&answer.whole().await?).into_owned());
        Ok(Reply { output, status: Some(Status::http(status.as_u16())), ..Reply::default() })
    }

    fn request(&self, call: &Call) -> Result<Request, Fault> {
        let (method, body) = match &*call.operation {
            "act" => (Method::POST, Some(call.input.to_string().into())),
            "look" => (Method::GET, None),
            other => return Err(fault::unknown(other)),
        };
        let (url, headers) = (self.http.base().clone(), HeaderMap::new());
        Ok(Request { method, url, headers, accept: HeaderValue::from_static("*/*"), body })
    }
}
