//! One exchange: attach what every request carries, send, and hand out the answer as it comes in.

use std::time::Duration;

use bytes::Bytes;
use diag::{Diagnostic, Node};
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use port::{Ctx, Fault, Kind, Landed, Reply};
use url::Url;

use super::answer::{Answer, unreadable};
use super::config::{Codes, Config};
use super::credentials::Resolved;
use super::{fault, pool};
use crate::Env;

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const CORRELATION: HeaderName = HeaderName::from_static("x-correlation-id");

/// What an adapter wants sent.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) url: Url,
    /// Beside those of the system, and before them.
    pub(crate) headers: HeaderMap,
    /// What is welcome, unless a header says.
    pub(crate) accept: HeaderValue,
    pub(crate) body: Option<Bytes>,
}

/// Asks one system. Holds nothing between calls but its pool.
#[derive(Debug)]
pub(crate) struct Client {
    http: reqwest::Client,
    config: Config,
    credentials: Option<Resolved>,
}

impl Client {
    /// A client of the system that `config` describes, with its secrets looked up.
    pub(crate) fn new(
        system: &str,
        config: Config,
        section: &Node,
        codes: &Codes,
        env: &Env,
    ) -> Result<Self, Vec<Diagnostic>> {
        let credentials = config.auth.as_ref().map(|auth| Resolved::resolve(auth, &*env.secrets)).transpose();
        let refused = |code, key, says: String| {
            let place = section.get(key).unwrap_or(section);
            vec![Diagnostic::error(code, &place.span, format!("system {system:?}: {says}"))]
        };
        let credentials = credentials.map_err(|says| refused(codes.secret, "auth", says))?;
        let own = pool::own(&config, &*env.secrets).map_err(|says| refused(codes.tls, "tls", says))?;
        Ok(Self { http: own.unwrap_or_else(|| env.http.clone()), config, credentials })
    }

    /// The address below which everything is.
    pub(crate) fn base(&self) -> &Url {
        &self.config.base
    }

    /// Sends one request within the call's deadline and `limit`, whichever is nearer. Dropping the future closes the
    /// exchange; after the first poll the request may have been read.
    pub(crate) async fn send(
        &self,
        ctx: &Ctx,
        request: Request,
        limit: Option<Duration>,
    ) -> Result<Answer, Fault> {
        let limit = time_left(ctx, limit)?;
        let sent = self.prepare(ctx, request, limit).send().await;
        let response = sent.map_err(|error| fault::of_transport(&error))?;
        Ok(Answer::new(response, self.config.max_response))
    }

    /// Adds what a failure says of itself, as far as it is kept and without our credentials.
    pub(crate) async fn explained(&self, fault: Fault, answer: Answer) -> Fault {
        // Before it is cut: a part of a credential would not be found any more.
        match answer.words().await.map(|words| self.scrub(words)) {
            Some(words) => fault.with("answer", fault::words(&words)),
            None => fault,
        }
    }

    /// Takes our credentials out of everything that came back.
    pub(crate) fn scrubbed(&self, answered: Result<Reply, Fault>) -> Result<Reply, Fault> {
        match self.credentials.as_ref().map(Resolved::scrubber) {
            Some(scrubber) => {
                answered.map(|reply| scrubber.reply(reply)).map_err(|fault| scrubber.fault(fault))
            }
            None => answered,
        }
    }

    /// The same for a reply whose output is bytes, which [`Client::bytes`] has looked through.
    pub(crate) fn scrubbed_around_bytes(&self, answered: Result<Reply, Fault>) -> Result<Reply, Fault> {
        match self.credentials.as_ref().map(Resolved::scrubber) {
            Some(scrubber) => {
                answered.map(|reply| scrubber.metadata(reply)).map_err(|fault| scrubber.fault(fault))
            }
            None => answered,
        }
    }

    /// Bytes as they are, unless our credentials are in them: nothing can be taken out of bytes.
    pub(crate) fn bytes(&self, bytes: Bytes) -> Result<Bytes, Fault> {
        match self.credentials.as_ref().is_some_and(|known| known.scrubber().is_in_bytes(&bytes)) {
            true => Err(unreadable("the answer holds our credentials")),
            false => Ok(bytes),
        }
    }

    /// Takes our credentials out of the words of a fault.
    pub(crate) fn scrubbed_fault<T>(&self, asked: Result<T, Fault>) -> Result<T, Fault> {
        match self.credentials.as_ref().map(Resolved::scrubber) {
            Some(scrubber) => asked.map_err(|fault| scrubber.fault(fault)),
            None => asked,
        }
    }

    fn scrub(&self, words: String) -> String {
        match &self.credentials {
            Some(credentials) => credentials.scrubber().text(words),
            None => words,
        }
    }

    fn prepare(&self, ctx: &Ctx, request: Request, limit: Option<Duration>) -> reqwest::RequestBuilder {
        let Request { method, mut url, headers: own, accept, body } = request;
        let mut headers = self.config.headers.clone();
        headers.extend(own);
        headers.entry(header::ACCEPT).or_insert(accept);
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
}

/// The call's deadline or the operation's own bound, whichever is nearer.
fn time_left(ctx: &Ctx, own: Option<Duration>) -> Result<Option<Duration>, Fault> {
    let limit = match (ctx.remaining(), own) {
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
