//! One answer as it leaves.

use axum::body::Body;
use axum::response::Response;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, LINK, LOCATION};
use http::{HeaderName, HeaderValue, StatusCode};
use serde::Serialize;
use serde_json::Value;

/// The position a write reached; sent back as `Cardan-At-Least` it can be read.
const POSITION: HeaderName = HeaderName::from_static("cardan-position");

/// What is sent back.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Outlet,
    pub(crate) position: Option<u64>,
    pub(crate) etag: Option<String>,
    pub(crate) location: Option<String>,
    pub(crate) link: Option<String>,
}

/// A body that is there, or one that is made while it is sent.
pub(crate) enum Outlet {
    Nothing,
    Json(Vec<u8>),
    Stream(&'static str, Body),
}

impl Answer {
    pub(crate) fn json(status: StatusCode, value: &impl Serialize) -> Self {
        // Serialising plain data to a vector cannot fail.
        Self::bytes(status, serde_json::to_vec(value).unwrap_or_default())
    }

    pub(crate) fn bytes(status: StatusCode, json: Vec<u8>) -> Self {
        Self { status, body: Outlet::Json(json), position: None, etag: None, location: None, link: None }
    }

    pub(crate) fn ok(value: &Value) -> Self {
        Self::json(StatusCode::OK, value)
    }

    pub(crate) fn stream(content_type: &'static str, body: Body) -> Self {
        Self { body: Outlet::Stream(content_type, body), ..Self::bytes(StatusCode::OK, Vec::new()) }
    }

    pub(crate) fn unmodified(etag: String) -> Self {
        Self { body: Outlet::Nothing, etag: Some(etag), ..Self::bytes(StatusCode::NOT_MODIFIED, Vec::new()) }
    }

    #[must_use]
    pub(crate) fn at(mut self, position: u64) -> Self {
        self.position = Some(position);
        self
    }

    pub(crate) fn into_response(self) -> Response {
        let (content_type, body) = match self.body {
            Outlet::Nothing => (None, Body::empty()),
            Outlet::Json(bytes) => (Some("application/json"), Body::from(bytes)),
            Outlet::Stream(content_type, body) => (Some(content_type), body),
        };
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        if let Some(content_type) = content_type {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(position) = self.position {
            headers.insert(POSITION, HeaderValue::from(position));
        }
        for (name, value) in [(ETAG, self.etag), (LOCATION, self.location), (LINK, self.link)] {
            if let Some(value) = value.and_then(|value| HeaderValue::from_str(&value).ok()) {
                headers.insert(name, value);
            }
        }
        response
    }
}
