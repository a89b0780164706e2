//! Refusals, told as RFC 9457 problem details: `application/problem+json`, one code per cause.
//!
//! A problem also carries the ASTRA guide's members: `error`, and `details` beside `errors` for an invalid act.

mod code;
mod conversation;

use std::time::Duration;

use act::Issue;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::{Map, Value, json};

pub use code::Code;

/// A refusal. Nothing was applied unless its code says otherwise.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// Which one.
    pub code: Code,
    /// What was wrong this time; never a secret, never a whole input.
    pub detail: Option<String>,
    /// What is wrong in the document, member by member.
    pub errors: Vec<Issue>,
    /// When trying again may help.
    pub retry_after: Option<Duration>,
    /// The methods a path has, for [`Code::RouteMethod`].
    pub allow: Option<String>,
    /// Further members.
    pub extra: Map<String, Value>,
}

impl Problem {
    /// A problem that its code explains.
    pub fn new(code: Code) -> Self {
        let retry_after = code.retry_after();
        Self { code, detail: None, errors: Vec::new(), retry_after, allow: None, extra: Map::new() }
    }

    /// A problem and what was wrong this time.
    pub fn because(code: Code, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..Self::new(code) }
    }

    /// An act, or another document, that is not one.
    pub fn invalid(code: Code, errors: Vec<Issue>) -> Self {
        Self { errors, ..Self::new(code) }
    }

    /// Adds a member.
    #[must_use]
    pub fn with(mut self, member: &str, value: impl Into<Value>) -> Self {
        self.extra.insert(member.to_owned(), value.into());
        self
    }

    /// The status it is sent with.
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The body.
    pub fn body(&self, instance: Option<&str>) -> Value {
        let mut body = self.extra.clone();
        body.insert("type".into(), format!("urn:cardan:problem:{}", self.code.as_str()).into());
        body.insert("title".into(), self.code.title().into());
        body.insert("status".into(), self.code.status().into());
        body.insert("code".into(), self.code.as_str().into());
        body.insert("error".into(), self.code.error().into());
        if let Some(detail) = &self.detail {
            body.insert("detail".into(), detail.as_str().into());
        }
        if let Some(instance) = instance {
            body.insert("instance".into(), instance.into());
        }
        if !self.errors.is_empty() {
            let errors = json!(self.errors);
            body.insert("details".into(), errors.clone());
            body.insert("errors".into(), errors);
        }
        body.into()
    }

    /// The answer. `instance` is the path that was asked for.
    pub fn into_response_at(self, instance: Option<&str>) -> Response {
        let body = self.body(instance).to_string();
        let mut response = (self.status(), Body::from(body)).into_response();
        self.put_headers(response.headers_mut());
        response
    }

    fn put_headers(&self, headers: &mut HeaderMap) {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(wait) = self.retry_after {
            let seconds = wait.as_millis().div_ceil(1000).max(1);
            headers
                .insert(header::RETRY_AFTER, HeaderValue::from(u64::try_from(seconds).unwrap_or(u64::MAX)));
        }
        if self.code == Code::AuthToken {
            headers
                .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer error=\"invalid_token\""));
        }
        if let Some(allow) = self.allow.as_deref().and_then(|allow| HeaderValue::from_str(allow).ok()) {
            headers.insert(header::ALLOW, allow);
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        self.into_response_at(None)
    }
}

impl From<store::Error> for Problem {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::Busy => Problem::new(Code::Busy),
            store::Error::Full => Problem::new(Code::StoreFull),
            store::Error::Closed | store::Error::LeaseOver { .. } => Problem::new(Code::Stopping),
            store::Error::TooLarge { .. } => Problem::because(Code::BodyTooLarge, error.to_string()),
            store::Error::Version { .. } => Problem::new(Code::Contended),
            store::Error::NotOpen { .. } => Problem::because(Code::DeadState, error.to_string()),
            other => {
                tracing::error!(error = %other, "store refused");
                Problem::new(Code::StoreFailed)
            }
        }
    }
}

impl From<flow::Error> for Problem {
    fn from(error: flow::Error) -> Self {
        let told = error.to_string();
        match error {
            flow::Error::UnknownRun(_) => Problem::new(Code::RunUnknown),
            flow::Error::UnknownDead(_) => Problem::new(Code::DeadState),
            flow::Error::UnknownStep { .. }
            | flow::Error::Status { .. }
            | flow::Error::LaterRun { .. }
            | flow::Error::Child { .. }
            | flow::Error::Unsettled { .. } => Problem::because(Code::RunState, told),
            flow::Error::Key { .. } | flow::Error::KeyCycle { .. } => {
                Problem::because(Code::ActRefused, told)
            }
            flow::Error::Once { .. } => Problem::because(Code::CommitOnce, told),
            flow::Error::Signals { .. } => Problem::because(Code::SignalsFull, told),
            flow::Error::SignalSize { .. } => Problem::because(Code::BodyTooLarge, told),
            flow::Error::Busy(_) => Problem::new(Code::Busy),
            flow::Error::Stopping => Problem::new(Code::Stopping),
            flow::Error::Store(error) => error.into(),
            flow::Error::UnknownFlow(_) | flow::Error::NoDefinition { .. } | flow::Error::Journal { .. } => {
                tracing::error!(error = told, "engine refused");
                Problem::new(Code::Internal)
            }
        }
    }
}

#[cfg(test)]
mod tests;
