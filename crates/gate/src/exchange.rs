//! One request as a handler sees it.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use conversation::Request;
use http::{HeaderMap, HeaderName};
use parking_lot::Mutex;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::ticket::Ticket;
use crate::turn::Turn;
use crate::{Code, Gate, Principal, Problem};

/// Waits until this position is visible; an answer tells the one that a write reached.
pub(crate) const AT_LEAST: HeaderName = HeaderName::from_static("cardan-at-least");
/// One id for everything that one request sets in motion.
pub(crate) const CORRELATION: HeaderName = HeaderName::from_static("x-correlation-id");
/// Which trace the request is part of (W3C Trace Context, level 2); the caller's, when it came with one.
pub(crate) const TRACERESPONSE: HeaderName = HeaderName::from_static("traceresponse");
/// RFC 7240.
const PREFER: HeaderName = HeaderName::from_static("prefer");

/// A request that was let in.
pub(crate) struct Asked {
    pub(crate) principal: Arc<Principal>,
    pub(crate) correlation: Arc<str>,
    /// The span of this request, in the caller's trace or a new one.
    pub(crate) trace: port::TraceContext,
    pub(crate) params: Vec<(Arc<str>, String)>,
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Inlet,
    /// To be worked on; given back when this is dropped.
    pub(crate) turn: Turn,
    /// With an idempotency key: what is committed together with the work.
    pub(crate) ticket: Option<Ticket>,
}

/// The body, read or still to come.
pub(crate) enum Inlet {
    Nothing,
    Whole(Bytes),
    /// Behind a lock only because a body cannot be shared between threads.
    Lines(Mutex<Body>),
}

impl Asked {
    /// A path parameter.
    pub(crate) fn param(&self, name: &str) -> &str {
        self.params.iter().find(|(known, _)| **known == *name).map_or("", |(_, value)| value)
    }

    /// A header, when it is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The request as conversations know it.
    pub(crate) fn request<'a>(&self, gate: &'a Gate) -> Request<'a> {
        Request {
            caller: self.principal.caller(),
            correlation: self.correlation.clone(),
            trace: self.trace,
            motion: &gate.engine,
        }
    }

    /// The engine, whose commands then also say that this request's work is done.
    pub(crate) fn engine(&self, gate: &Gate) -> flow::Engine {
        gate.engine.with_records(self.ticket.iter().map(Ticket::done).collect())
    }

    /// The query as a struct that denies unknown names.
    pub(crate) fn query<Q: DeserializeOwned>(&self) -> Result<Q, Problem> {
        serde_html(&self.query).map_err(|error| Problem::because(Code::QueryInvalid, error))
    }

    /// The body as JSON; an empty one is `None`.
    pub(crate) fn json(&self) -> Result<Option<Value>, Problem> {
        match &self.body {
            Inlet::Whole(bytes) if !bytes.is_empty() => crate::body::json(bytes).map(Some),
            _ => Ok(None),
        }
    }

    /// The body as a struct that denies unknown members; an empty body is an empty object.
    pub(crate) fn document<D: DeserializeOwned>(&self) -> Result<D, Problem> {
        let value = self.json()?.unwrap_or_else(|| Value::Object(serde_json::Map::new()));
        serde_json::from_value(value).map_err(|error| Problem::because(Code::BodyInvalid, error.to_string()))
    }

    /// Logs how far the reading of an act has come; what it is is known only when it was read.
    pub(crate) fn tell_stage(&self, stage: &'static str, act: Option<&act::Act>) {
        tracing::debug!(
            stage,
            act_id = act.map(|act| act.id.as_str()),
            act_type = act.map(act::Act::type_name),
            conversation_id = self.param("id"),
            trace_id = %format_args!("{:032x}", self.trace.trace_id),
            span_id = %format_args!("{:016x}", self.trace.span_id),
            correlation_id = &*self.correlation,
            "reading an act"
        );
    }

    /// How long the caller would like to wait: `Prefer: wait=2` is two seconds, `wait=500ms` half of one.
    pub(crate) fn wait(&self, most: Duration) -> Option<Duration> {
        let preferences = self.headers.get_all(PREFER).iter().filter_map(|value| value.to_str().ok());
        let wait = preferences.flat_map(|value| value.split([',', ';'])).find_map(|part| {
            let (name, value) = part.split_once('=')?;
            name.trim().eq_ignore_ascii_case("wait").then(|| value.trim().trim_matches('"').to_owned())
        })?;
        let parsed = match wait.strip_suffix("ms") {
            Some(millis) => millis.parse().ok().map(Duration::from_millis),
            None => wait.parse().ok().map(Duration::from_secs),
        };
        parsed.map(|wait| wait.min(most))
    }
}

/// Reads a query string: `a=1&b=2`, percent-encoded. Numbers and booleans are read where the struct wants them.
fn serde_html<Q: DeserializeOwned>(query: &str) -> Result<Q, String> {
    let uri: http::Uri = format!("/?{query}").parse().map_err(|_| "query is malformed".to_owned())?;
    axum::extract::Query::<Q>::try_from_uri(&uri).map(|query| query.0).map_err(|error| error.body_text())
}
