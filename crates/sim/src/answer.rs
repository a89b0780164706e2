//! What a system answers, and whether it did something.

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// What a system answers, and whether it did something.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// `null` is sent as no body at all.
    pub(crate) body: Value,
    /// Whether the system's state changed.
    pub(crate) effect: bool,
    /// Seconds for a `Retry-After` header.
    pub(crate) retry_after: Option<u32>,
}

impl Answer {
    /// Nothing changed; here is what was asked for.
    pub(crate) fn read(body: Value) -> Self {
        Self { status: 200, body, effect: false, retry_after: None }
    }

    /// Done.
    pub(crate) fn done(status: u16, body: Value) -> Self {
        Self { status, body, effect: true, retry_after: None }
    }

    /// Nothing changed, and here is why: an RFC 9457 problem.
    pub(crate) fn problem(status: u16, title: &str, detail: impl Into<String>) -> Self {
        let body = json!({ "title": title, "status": status, "detail": detail.into() });
        Self { status, body, effect: false, retry_after: None }
    }

    /// There is no such thing.
    pub(crate) fn not_found(what: &str, id: &str) -> Self {
        Self::problem(404, "not found", format!("there is no {what} {id:?}"))
    }
}

/// Reads a body; what is wrong with it is an answer.
pub(crate) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Answer> {
    serde_json::from_slice(body).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => Answer::problem(422, "invalid", error.to_string()),
        _ => Answer::problem(400, "not JSON", error.to_string()),
    })
}
