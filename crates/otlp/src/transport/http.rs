//! OTLP over HTTP, with protobuf bodies.

use std::time::Duration;

use ::http::{HeaderMap, StatusCode, header};
use jiff::Timestamp;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use port::{Clock, SystemClock};
use prost::Message;
use reqwest::{Client, Response};
use url::Url;

use super::{Answer, Trouble};
use crate::{Settings, Unusable};

/// How long making a TCP and TLS connection may take.
const CONNECT: Duration = Duration::from_secs(5);
/// The largest answer that is read, in bytes.
const LARGEST: usize = 64 * 1024;

pub(crate) struct Http {
    client: Client,
    url: Url,
    headers: HeaderMap,
}

impl Http {
    pub(super) fn new(settings: &Settings) -> Result<Self, Unusable> {
        // No redirects, no proxy from the environment: spans go where the configuration says or nowhere.
        let client = Client::builder()
            .user_agent(concat!("cardan/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .tcp_nodelay(true)
            .connect_timeout(CONNECT)
            .build()
            .map_err(|error| settings.unusable(error))?;
        Ok(Self { client, url: settings.traces(), headers: settings.headers.clone() })
    }

    pub(super) async fn send(&self, bytes: &[u8]) -> Result<Answer, Trouble> {
        let request = self
            .client
            .post(self.url.clone())
            .headers(self.headers.clone())
            .header(header::CONTENT_TYPE, "application/x-protobuf")
            .body(bytes.to_vec());
        let response = request.send().await.map_err(|error| lost(&error))?;
        let status = response.status();
        if !status.is_success() {
            return Err(trouble(status, response.headers()));
        }
        let body = read(response).await?;
        let answer = ExportTraceServiceResponse::decode(body.as_slice());
        // It was taken, whatever is said beside that.
        Ok(answer.map(Answer::from).unwrap_or_default())
    }
}

async fn read(mut response: Response) -> Result<Vec<u8>, Trouble> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| lost(&error))? {
        if body.len() + chunk.len() > LARGEST {
            return Ok(Vec::new());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn lost(error: &reqwest::Error) -> Trouble {
    let mut cause = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        cause = format!("{cause}: {error}");
        source = error.source();
    }
    Trouble::passing(cause)
}

fn trouble(status: StatusCode, headers: &HeaderMap) -> Trouble {
    let passes = matches!(status.as_u16(), 429 | 502 | 503 | 504);
    let after = headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
    let after = after.filter(|_| passes).and_then(|text| wait(text, SystemClock.now()));
    Trouble { passes, after, cause: format!("answered {status}") }
}

/// `Retry-After`: seconds, or a date.
fn wait(text: &str, now: Timestamp) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text.trim()).ok()?;
    Some(Duration::try_from(date.duration_since(now)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::{Duration, HeaderMap, StatusCode, header, trouble, wait};

    #[test]
    fn a_collector_is_waited_for_as_long_as_it_says() {
        let now = "2026-11-30T08:00:00Z".parse().unwrap();
        assert_eq!(wait("3", now), Some(Duration::from_secs(3)));
        assert_eq!(wait("Mon, 30 Nov 2026 08:00:20 GMT", now), Some(Duration::from_secs(20)));
        assert_eq!(wait("Mon, 30 Nov 2026 07:00:00 GMT", now), Some(Duration::ZERO));
        assert_eq!(wait("soon", now), None);
    }

    #[test]
    fn only_what_passes_is_tried_again() {
        let mut headers = HeaderMap::new();
        headers.insert(header::RETRY_AFTER, "7".parse().unwrap());
        for (status, passes) in
            [(429, true), (502, true), (503, true), (504, true), (400, false), (401, false), (500, false)]
        {
            let trouble = trouble(StatusCode::from_u16(status).unwrap(), &headers);
            let after = passes.then_some(Duration::from_secs(7));
            assert_eq!((trouble.passes, trouble.after), (passes, after), "{status}");
        }
    }
}
