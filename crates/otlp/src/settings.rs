//! Where spans go, and what may be spent on it.

use std::time::Duration;

use http::HeaderMap;
use url::Url;

/// How spans are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// OTLP over gRPC.
    Grpc,
    /// OTLP over HTTP, with protobuf bodies.
    Http,
}

/// Where spans go, and what may be spent on it.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Scheme, host and port of the collector. Over HTTP `/v1/traces` is added when there is no path.
    pub endpoint: Url,
    /// How they are sent.
    pub protocol: Protocol,
    /// What goes with each request; values that are secret are marked as sensitive.
    pub headers: HeaderMap,
    /// How long one request may take.
    pub timeout: Duration,
    /// Which part of the traces that begin here is recorded, 0 to 1.
    pub sample: f64,
    /// How many spans wait at most; further ones are dropped.
    pub queue: usize,
    /// How many go in one request at most.
    pub batch: usize,
    /// How long a span waits at most for others to go with it.
    pub interval: Duration,
    /// `service.name` of what is exported.
    pub service: String,
    /// `service.version` of what is exported.
    pub version: &'static str,
}

/// Why nothing can be exported with these settings.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// The machine's TLS set-up or a header is at fault.
    #[error("making a client for {endpoint}: {cause}")]
    Client {
        /// The collector.
        endpoint: Url,
        /// What is wrong.
        cause: String,
    },
}

impl Settings {
    /// Where requests over HTTP go.
    pub(crate) fn traces(&self) -> Url {
        let mut url = self.endpoint.clone();
        if matches!(url.path(), "" | "/") {
            url.set_path("/v1/traces");
        }
        url
    }

    pub(crate) fn unusable(&self, cause: impl std::fmt::Display) -> Unusable {
        Unusable::Client { endpoint: self.endpoint.clone(), cause: cause.to_string() }
    }
}
