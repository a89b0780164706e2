//! What went wrong with a call, and whether its effect landed.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Repeat;

/// Whether the effect of a failed call is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Landed {
    /// Certainly not: the request never reached the system, or the system says it did nothing.
    No,
    /// Certainly: the system acted, only the answer was unusable.
    Yes,
    /// Nobody can tell.
    Unknown,
}

/// What kind of fault it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// No connection could be made.
    Connect,
    /// No answer in time.
    Timeout,
    /// The system asked for a pause (HTTP 425, 429, or a 503 that carries `Retry-After`).
    Throttled,
    /// The system is there and cannot serve (HTTP 5xx), or a guard would not let the call out ([`Fault::rejection`]).
    Unavailable,
    /// The system understood and said no: a business refusal (HTTP 402, 403, 4xx without a better kind).
    Refused,
    /// Our credentials were not accepted (HTTP 401).
    Unauthorised,
    /// The thing addressed is not there (HTTP 404, 410).
    NotFound,
    /// The thing is in another state than the call needs (HTTP 409, 412).
    Conflict,
    /// The system is still at an earlier request with this call's key (HTTP 409 with `Retry-After`, or what an operation
    /// declares as `in_progress`). Neither an answer nor a failure: the same call is asked again later.
    InProgress,
    /// The input is wrong (HTTP 400, 422), or could not be turned into a request.
    Invalid,
    /// The answer could not be understood: bad JSON, wrong content type, too large, a redirect.
    Protocol,
    /// A defect on our side.
    Internal,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 12] = [
        Kind::Connect,
        Kind::Timeout,
        Kind::Throttled,
        Kind::Unavailable,
        Kind::Refused,
        Kind::Unauthorised,
        Kind::NotFound,
        Kind::Conflict,
        Kind::InProgress,
        Kind::Invalid,
        Kind::Protocol,
        Kind::Internal,
    ];

    /// Whether the same call may pass later, all else equal.
    pub fn may_pass(self) -> bool {
        match self {
            Kind::Connect | Kind::Timeout | Kind::Throttled | Kind::Unavailable => true,
            Kind::Refused
            | Kind::Unauthorised
            | Kind::NotFound
            | Kind::Conflict
            | Kind::InProgress
            | Kind::Invalid
            | Kind::Protocol
            | Kind::Internal => false,
        }
    }

    /// The name used in logs, metrics and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Connect => "connect",
            Kind::Timeout => "timeout",
            Kind::Throttled => "throttled",
            Kind::Unavailable => "unavailable",
            Kind::Refused => "refused",
            Kind::Unauthorised => "unauthorised",
            Kind::NotFound => "not_found",
            Kind::Conflict => "conflict",
            Kind::InProgress => "in_progress",
            Kind::Invalid => "invalid",
            Kind::Protocol => "protocol",
            Kind::Internal => "internal",
        }
    }
}

/// Which guard kept a call in; nothing left the house.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rejection {
    /// The circuit breaker is open, or its half-open permits are out.
    BreakerOpen,
    /// The bulkhead and its queue are full.
    BulkheadFull,
    /// No token within the allowed wait.
    RateLimited,
    /// The deadline leaves no room for an attempt.
    DeadlineTooNear,
}

impl Rejection {
    /// The name used as `blocked_on` and in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Rejection::BreakerOpen => "breaker_open",
            Rejection::BulkheadFull => "bulkhead_full",
            Rejection::RateLimited => "rate_limited",
            Rejection::DeadlineTooNear => "deadline_too_near",
        }
    }
}

/// A failed call. Cheap to make: a rejection by a guard allocates nothing.
#[derive(Clone, Debug)]
pub struct Fault {
    /// What kind it was.
    pub kind: Kind,
    /// Whether the effect is there.
    pub landed: Landed,
    /// How long the system (or the guard) asks us to wait.
    pub retry_after: Option<Duration>,
    /// Which guard kept the call in, when one did.
    pub rejection: Option<Rejection>,
    /// The protocol's status, where there was one.
    pub status: Option<u16>,
    /// How many attempts were made before giving up; 0 when nothing left the house.
    pub attempts: u32,
    /// The one member of a group that acted, or may have: what follows (asking, sending again, undoing) is for it alone.
    /// `None` when nothing landed, and from any system that is no group.
    pub member: Option<Arc<str>>,
    /// Whether a whole answer came, and it was not of the shape that its operation promises: asked for again under the
    /// same key, the same would come.
    pub breach: bool,
    /// Text that reads after a colon: lowercase, no dot, never a secret, never a whole remote body.
    pub message: Cow<'static, str>,
    /// Field/value pairs that name what was at fault; never secrets.
    pub context: Vec<(&'static str, String)>,
}

impl Fault {
    /// A fault without detail.
    #[inline]
    pub fn new(kind: Kind, landed: Landed, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind,
            landed,
            retry_after: None,
            rejection: None,
            status: None,
            attempts: 1,
            member: None,
            breach: false,
            message: message.into(),
            context: Vec::new(),
        }
    }

    /// A call that a guard kept in: it did not land and may pass later.
    #[inline]
    pub fn rejected(by: Rejection, retry_after: Option<Duration>) -> Self {
        let message = match by {
            Rejection::BreakerOpen => "circuit is open",
            Rejection::BulkheadFull => "too many calls in flight",
            Rejection::RateLimited => "rate limit reached",
            Rejection::DeadlineTooNear => "deadline too near for an attempt",
        };
        let kind = if by == Rejection::DeadlineTooNear { Kind::Timeout } else { Kind::Unavailable };
        Self { retry_after, rejection: Some(by), attempts: 0, ..Self::new(kind, Landed::No, message) }
    }

    /// Adds a named value at fault.
    #[must_use]
    pub fn with(mut self, field: &'static str, value: impl Into<String>) -> Self {
        self.context.push((field, value.into()));
        self
    }

    /// Adds how long to wait.
    #[must_use]
    pub fn after(mut self, wait: Option<Duration>) -> Self {
        self.retry_after = wait;
        self
    }

    /// Adds the protocol's status.
    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }

    /// The one rule of resending: the kind may pass, **and** it did not land, or a repeat is safe, or it is keyed.
    pub fn may_resend(&self, repeat: Repeat, keyed: bool) -> bool {
        let harmless = match repeat {
            Repeat::Safe => true,
            Repeat::Keyed => keyed || self.landed == Landed::No,
            Repeat::Never => self.landed == Landed::No,
        };
        self.kind.may_pass() && harmless
    }
}

impl Fault {
    /// What it says and the values that it names, without its kind, in 500 characters at most.
    pub fn words(&self) -> String {
        const LONGEST: usize = 500;
        let mut said = self.message.to_string();
        for (field, value) in &self.context {
            said.push_str(&format!(", {field} {value:?}"));
        }
        match said.char_indices().nth(LONGEST) {
            None => said,
            Some(_) => said.chars().take(LONGEST - 1).chain(['…']).collect(),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.as_str(), self.message)?;
        for (field, value) in &self.context {
            write!(f, ", {field} {value:?}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Fault {}
