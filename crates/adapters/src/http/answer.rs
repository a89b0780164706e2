//! An answer as it comes in. Never holds more of a body than it was allowed.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, StatusCode, header};
use jiff::Timestamp;
use port::{Fault, Kind, Landed, Metadata};
use reqwest::Response;

use super::body::Body;
use super::fault;

/// How much of a failure's body is read for its words.
const PROBLEM: usize = 16 * 1024;

/// An answer whose head has arrived. The head is bounded by the HTTP library: 100 headers in some 400 KiB.
#[derive(Debug)]
pub(crate) struct Answer {
    response: Response,
    most: usize,
}

impl Answer {
    /// An answer of whose body at most `most` bytes are kept.
    pub(super) fn new(response: Response, most: usize) -> Self {
        Self { response, most }
    }

    /// The status of the answer.
    pub(crate) fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// The content type, without its parameters.
    pub(crate) fn media_type(&self) -> Option<String> {
        let said = self.response.headers().get(header::CONTENT_TYPE)?.to_str().ok()?;
        let essence = said.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        (!essence.is_empty()).then_some(essence)
    }

    /// What the content type says of the body.
    pub(crate) fn media(&self) -> Media {
        Media::of(self.response.headers())
    }

    /// The headers of these names, as text; of several with one name, the first.
    pub(crate) fn metadata(&self, names: &[HeaderName]) -> Metadata {
        let headers = self.response.headers();
        let text = |name: &HeaderName| Some((name.to_string(), headers.get(name)?.to_str().ok()?.to_owned()));
        Metadata::new(names.iter().filter_map(text))
    }

    /// How long the system asks us to wait.
    pub(crate) fn retry_after(&self, now: Timestamp) -> Option<Duration> {
        fault::retry_after(self.response.headers(), now)
    }

    /// Reads the body of a success. What goes wrong from here on has landed: the status said so.
    pub(crate) async fn whole(self) -> Result<Bytes, Fault> {
        let status = self.status().as_u16();
        let read = match is_coded(self.response.headers()) {
            true => Err(unreadable("the answer is in a coding that was not asked for")),
            false => self.read().await,
        };
        read.map_err(|fault| fault.status(status))
    }

    async fn read(mut self) -> Result<Bytes, Fault> {
        let most = self.most;
        let said =
            self.response.content_length().and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
        if said > most {
            return Err(too_large(most));
        }
        let mut body = Body::default();
        while let Some(piece) = self.response.chunk().await.map_err(|error| fault::of_body(&error))? {
            if !body.take(piece, most) {
                return Err(too_large(most));
            }
        }
        Ok(body.whole())
    }

    /// Reads the words of a failure. What cannot be read is left out: the status says enough.
    pub(super) async fn words(mut self) -> Option<String> {
        let mut body = Vec::new();
        while let Ok(Some(chunk)) = self.response.chunk().await {
            if body.len() + chunk.len() > PROBLEM {
                return None;
            }
            body.extend_from_slice(&chunk);
        }
        fault::detail(&body)
    }
}

/// What a content type says of a body.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Media {
    /// It is JSON.
    Json,
    /// It is something else.
    Other,
    /// There is no content type.
    Unsaid,
}

impl Media {
    fn of(headers: &HeaderMap) -> Self {
        let Some(value) = headers.get(header::CONTENT_TYPE) else { return Media::Unsaid };
        let text = value.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
        let text = text.to_ascii_lowercase();
        let json = text == "application/json" || text.ends_with("+json");
        if json { Media::Json } else { Media::Other }
    }
}

/// Whether the body is compressed or otherwise coded, although only `identity` was welcome.
fn is_coded(headers: &HeaderMap) -> bool {
    let codings = headers.get_all(header::CONTENT_ENCODING).iter();
    codings
        .flat_map(|value| value.to_str().unwrap_or("?").split(','))
        .any(|coding| !coding.trim().is_empty() && !coding.trim().eq_ignore_ascii_case("identity"))
}

fn too_large(most: usize) -> Fault {
    unreadable("the answer is larger than allowed").with("max_response", most.to_string())
}

/// The status said that the effect is there; only the answer is of no use.
pub(crate) fn unreadable(says: &'static str) -> Fault {
    Fault::new(Kind::Protocol, Landed::Yes, says)
}
