//! One exchange: attach what every request carries, send, read.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, header};
use port::{Call, Ctx, Fault, Kind, Landed, Reply};

use super::config::Config;
use super::credentials::Resolved;
use super::operation::Plan;
use super::request::{self, Request};
use super::{answer, fault};

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const CORRELATION: HeaderName = HeaderName::from_static("x-correlation-id");

/// Performs operations against one base address. Holds nothing between calls but the shared pool.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) http: reqwest::Client,
    pub(super) config: Config,
    pub(super) credentials: Option<Resolved>,
}

impl Client {
    /// Performs `call`. Dropping the future closes the exchange; after the first poll the call may have landed.
    pub(super) async fn perform(&self, ctx: &Ctx, plan: &Plan, call: &Call) -> Result<Reply, Fault> {
        let answered = self.exchange(ctx, plan, call).await;
        let Some(scrubber) = self.credentials.as_ref().map(Resolved::scrubber) else { return answered };
        answered.map(|reply| scrubber.reply(reply)).map_err(|fault| scrubber.fault(fault))
    }

    async fn exchange(&self, ctx: &Ctx, plan: &Plan, call: &Call) -> Result<Reply, Fault> {
        let request = request::build(&self.config.base, plan, call)?;
        let limit = time_left(ctx, plan)?;
        let method = plan.method.clone();
        let response = self
            .prepare(ctx, method, request, limit)
            .send()
            .await
            .map_err(|error| fault::of_transport(&error))?;
        if answer::is_success(response.status(), plan) {
            return answer::success(response, plan, self.config.max_response).await;
        }
        let wait = fault::retry_after(response.headers(), ctx.clock.now());
        let status = response.status().as_u16();
        let fault = match fault::is_in_progress(status, wait, plan) {
            true => fault::in_progress(status, wait),
            false => fault::of_status(status, wait),
        };
        match answer::failure(response).await {
            Some(words) => Err(fault.with("answer", fault::words(&self.scrub(words)))),
            None => Err(fault),
        }
    }

    fn prepare(
        &self,
        ctx: &Ctx,
        method: http::Method,
        request: Request,
        limit: Option<Duration>,
    ) -> reqwest::RequestBuilder {
        let Request { mut url, headers: own, body } = request;
        let mut headers = self.config.headers.clone();
        headers.extend(own);
        headers.entry(header::ACCEPT).or_insert(HeaderValue::from_static("application/json, */*;q=0.5"));
        // Said aloud: without it a system may choose any coding (RFC 9110, 12.5.3), and none is read here.
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        say_context(ctx, &mut headers);
        if let Some(credentials) = &self.credentials {
            credentials.attach(&mut url, &mut headers);
        }
        if let (Some(header), Some(limit)) = (&self.config.deadline_header, limit) {
            headers.insert(&header.name, header.value(limit));
        }
        let mut builder = self.http.request(method, url).headers(headers);
        builder = match body {
            Some(body) => builder.body(body),
            None => builder,
        };
        match limit {
            Some(limit) => builder.timeout(limit),
            None => builder,
        }
    }

    fn scrub(&self, words: String) -> String {
        match &self.credentials {
            Some(credentials) => credentials.scrubber().text(words),
            None => words,
        }
    }
}

/// The call's deadline or the operation's own bound, whichever is nearer.
fn time_left(ctx: &Ctx, plan: &Plan) -> Result<Option<Duration>, Fault> {
    let limit = match (ctx.remaining(), plan.limit) {
        (Some(left), Some(own)) => Some(left.min(own)),
        (left, own) => left.or(own),
    };
    match limit {
        Some(Duration::ZERO) => Err(Fault::new(Kind::Timeout, Landed::No, "the deadline has passed")),
        limit => Ok(limit),
    }
}

/// The span that this attempt is, and the correlation id. A correlation id that no header can carry stays here.
fn say_context(ctx: &Ctx, headers: &mut HeaderMap) {
    let span = ctx.trace.to_string();
    let said =
        [(TRACEPARENT, HeaderValue::from_str(&span)), (CORRELATION, HeaderValue::from_str(&ctx.correlation))];
    for (name, value) in said {
        if let Ok(value) = value {
            headers.insert(name, value);
        }
    }
}
