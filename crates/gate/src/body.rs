//! Reads bodies: typed, bounded in size and time, UTF-8, and JSON with the place of the first mistake.

use std::time::Duration;

use act::Issue;
use axum::body::Body;
use bytes::Bytes;
use http::HeaderMap;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http_body_util::{BodyExt, Limited};
use serde_json::Value;

use crate::{Code, Problem};

/// How a body is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Media {
    Json,
    Ndjson,
}

impl Media {
    /// What the request says about its body.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let expected = "expected application/json or, for many acts, application/x-ndjson";
        let refused = || Problem::because(Code::BodyType, expected);
        let text = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).ok_or_else(refused)?;
        let (essence, parameters) = text.split_once(';').unwrap_or((text, ""));
        let utf8 = parameters.trim().to_ascii_lowercase();
        if !utf8.is_empty() && utf8 != "charset=utf-8" && utf8 != "charset=\"utf-8\"" {
            return Err(Problem::because(Code::BodyType, "expected charset=utf-8"));
        }
        match essence.trim().to_ascii_lowercase().as_str() {
            "application/json" => Ok(Media::Json),
            "application/x-ndjson" => Ok(Media::Ndjson),
            _ => Err(refused()),
        }
    }
}

/// Reads a whole body.
pub(crate) async fn read(
    body: Body,
    headers: &HeaderMap,
    limit: usize,
    time: Duration,
) -> Result<Bytes, Problem> {
    let too_large = || Problem::because(Code::BodyTooLarge, format!("at most {limit} bytes"));
    let announced = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > limit as u64) {
        return Err(too_large());
    }
    match tokio::time::timeout(time, Limited::new(body, limit).collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => Err(too_large()),
        Ok(Err(_)) => Err(Problem::because(Code::BodyJson, "the body ended before it was complete")),
        Err(_) => Err(Problem::new(Code::BodySlow)),
    }
}

/// Refuses what is not UTF-8, and says at which byte.
pub(crate) fn utf8(bytes: &[u8]) -> Result<&str, Problem> {
    std::str::from_utf8(bytes).map_err(|error| {
        let offset = error.valid_up_to();
        Problem::because(Code::BodyUtf8, format!("byte {offset} does not continue UTF-8"))
            .with("offset", offset)
    })
}

/// One JSON document.
pub(crate) fn json(bytes: &[u8]) -> Result<Value, Problem> {
    utf8(bytes)?;
    act::parse_json(bytes).map_err(|issue| malformed(bytes, issue))
}

/// Says where a document stops being JSON: line, column and byte offset, each from the start.
pub(crate) fn malformed(bytes: &[u8], issue: Issue) -> Problem {
    match issue.code {
        "json.syntax" => {
            let Err(error) = serde_json::from_slice::<serde::de::IgnoredAny>(bytes) else {
                return Problem::because(Code::BodyJson, issue.message);
            };
            let (line, column) = (error.line(), error.column());
            Problem::because(Code::BodyJson, issue.message)
                .with("line", line)
                .with("column", column)
                .with("offset", offset(bytes, line, column))
        }
        "json.depth" => Problem::invalid(Code::BodyDepth, vec![issue]),
        _ => Problem::invalid(Code::BodyJson, vec![issue]),
    }
}

/// `column` counts bytes from 1; a document that ends too early is at fault at its end.
fn offset(bytes: &[u8], line: usize, column: usize) -> usize {
    let before: usize =
        bytes.split_inclusive(|byte| *byte == b'\n').take(line.saturating_sub(1)).map(<[u8]>::len).sum();
    (before + column.saturating_sub(1)).min(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_has_line_column_and_offset() {
        let problem = json(b"{\"a\": 1,\n  \"b\": tru }").unwrap_err();
        assert_eq!(problem.code, Code::BodyJson);
        let place = (&problem.extra["line"], &problem.extra["column"], &problem.extra["offset"]);
        assert_eq!(place, (&2.into(), &11.into(), &19.into()), "{:?}", problem.detail);
    }

    #[test]
    fn bytes_that_are_not_text_are_located() {
        let problem = json(b"{\"a\":\"\xff\"}").unwrap_err();
        assert_eq!((problem.code, &problem.extra["offset"]), (Code::BodyUtf8, &6.into()));
    }

    #[test]
    fn depth_is_its_own_problem() {
        assert_eq!(json("[".repeat(100_000).as_bytes()).unwrap_err().code, Code::BodyDepth);
    }

    #[test]
    fn only_the_two_media_are_read() {
        let of = |text: &'static str| {
            let headers = HeaderMap::from_iter([(CONTENT_TYPE, http::HeaderValue::from_static(text))]);
            Media::of(&headers).map_err(|problem| problem.code)
        };
        assert_eq!(of("application/json; charset=UTF-8"), Ok(Media::Json));
        assert_eq!(of("application/x-ndjson"), Ok(Media::Ndjson));
        for other in ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1"] {
            assert_eq!(of(other), Err(Code::BodyType), "{other}");
        }
        assert_eq!(Media::of(&HeaderMap::new()).map_err(|problem| problem.code), Err(Code::BodyType));
    }
}
