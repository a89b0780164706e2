//! What a status, or the lack of one, means. The table in the rest adapter's reference page is this file.

use std::error::Error;
use std::time::Duration;

use http::{HeaderMap, header};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::rfc2822;
use jiff::tz::TimeZone;
use port::{Fault, Kind, Landed};
use serde_json::Value;

/// How much of a remote error's own words is kept, in characters.
const WORDS: usize = 200;
/// The longest wait that is believed: a day.
const LONGEST_WAIT: u64 = 24 * 60 * 60;

/// The fault that a status outside 2xx means.
pub(crate) fn of_status(status: u16, wait: Option<Duration>) -> Fault {
    let (kind, landed, says) = match status {
        307 | 308 => (Kind::Protocol, Landed::No, "redirects are not followed"),
        300..=399 => (Kind::Protocol, Landed::Unknown, "redirects are not followed"),
        400 | 422 => (Kind::Invalid, Landed::No, "the input was not accepted"),
        401 => (Kind::Unauthorised, Landed::No, "the credentials were not accepted"),
        404 | 410 => (Kind::NotFound, Landed::No, "not found"),
        408 => (Kind::Timeout, Landed::Unknown, "the system gave up waiting"),
        409 | 412 => (Kind::Conflict, Landed::No, "conflict"),
        425 | 429 => (Kind::Throttled, Landed::No, "the system asks for a pause"),
        400..=499 => (Kind::Refused, Landed::No, "the system refused"),
        501 => (Kind::Unavailable, Landed::No, "the system cannot do this"),
        503 if wait.is_some() => (Kind::Throttled, Landed::No, "the system asks for a pause"),
        500..=599 => (Kind::Unavailable, Landed::Unknown, "the system failed"),
        _ => (Kind::Protocol, Landed::Unknown, "the status is not one of HTTP's"),
    };
    Fault::new(kind, landed, says).status(status).after(wait)
}

/// The fault of an answer that says that an earlier request with the same key is still being handled: it says nothing
/// for or against the effect.
pub(crate) fn in_progress(status: u16, wait: Option<Duration>) -> Fault {
    let says = "an earlier request with this key is still being handled";
    Fault::new(Kind::InProgress, Landed::Unknown, says).status(status).after(wait)
}

/// The fault of a request that got no answer's head.
pub(crate) fn of_transport(error: &reqwest::Error) -> Fault {
    let (kind, landed, says) = match (error.is_connect(), error.is_timeout(), error.is_builder()) {
        (true, true, _) => (Kind::Timeout, Landed::No, "no connection in time"),
        (true, false, _) => (Kind::Connect, Landed::No, "no connection"),
        (false, true, _) => (Kind::Timeout, Landed::Unknown, "no answer in time"),
        (false, false, true) => (Kind::Internal, Landed::No, "the request could not be made"),
        (false, false, false) => {
            (Kind::Unavailable, Landed::Unknown, "the connection broke before an answer")
        }
    };
    Fault::new(kind, landed, says).with("cause", root_cause(error))
}

/// The fault of an answer whose head said success and whose body did not arrive: the effect is there.
pub(crate) fn of_body(error: &reqwest::Error) -> Fault {
    let (kind, says) = match error.is_timeout() {
        true => (Kind::Timeout, "the answer did not arrive in time"),
        false => (Kind::Unavailable, "the connection broke within the answer"),
    };
    Fault::new(kind, Landed::Yes, says).with("cause", root_cause(error))
}

/// The innermost cause: outer ones repeat the address, which may carry a key.
pub(super) fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: Option<&dyn Error> = error.source();
    while let Some(inner) = cause.and_then(Error::source) {
        cause = Some(inner);
    }
    cause.map_or_else(|| "none given".to_owned(), |cause| words(&cause.to_string()))
}

/// `Retry-After` in both its forms, relative to `now`; a moment that has passed is no wait.
pub(crate) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = match digits {
        true => text.parse().unwrap_or(LONGEST_WAIT),
        false => u64::try_from(seconds_until(date(text)?, now)).unwrap_or(0),
    };
    Some(Duration::from_secs(seconds.min(LONGEST_WAIT)))
}

/// Whole seconds after which `then` has come: the one that has begun counts.
fn seconds_until(then: DateTime, now: Timestamp) -> i64 {
    let wait = then.duration_since(now.to_zoned(TimeZone::UTC).datetime());
    wait.as_secs() + i64::from(wait.subsec_nanos() > 0)
}

/// A date in any of the three forms of RFC 9110, 5.6.7, in UTC; the name of the day is not looked at. The last day of
/// the year 9999 is one, which no timestamp holds.
fn date(text: &str) -> Option<DateTime> {
    let (_day, rest) = text.split_once(' ')?;
    let forms = ["%d %b %Y %H:%M:%S GMT", "%d-%b-%y %H:%M:%S GMT", "%b %e %H:%M:%S %Y"];
    forms.into_iter().find_map(|form| DateTime::strptime(form, rest).ok()).or_else(|| {
        let lenient = rfc2822::DateTimeParser::new().relaxed_weekday(true).parse_timestamp(text);
        Some(lenient.ok()?.to_zoned(TimeZone::UTC).datetime())
    })
}

/// The system's own words about a failure, from the members that problems use; never the whole body. They are cut
/// by [`words`] only when our credentials have been taken out: a part of one would not be found any more.
pub(crate) fn detail(body: &[u8]) -> Option<String> {
    let problem: Value = serde_json::from_slice(body).ok()?;
    let said = ["title", "detail", "error", "message"].map(|member| match problem.get(member) {
        Some(Value::String(text)) => Some(text.as_str()),
        Some(nested) => nested.get("message").and_then(Value::as_str),
        None => None,
    });
    let said: Vec<_> = said.into_iter().flatten().collect();
    (!said.is_empty()).then(|| said.join(": "))
}

/// As many words as are kept, without control characters.
pub(crate) fn words(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(WORDS).collect()
}
