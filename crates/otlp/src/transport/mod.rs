//! How a batch gets to the collector, and what its answer means: OTLP 1.x, as the specification says for each protocol.

mod grpc;
mod http;

use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};

use crate::{Protocol, Settings, Unusable};
use grpc::Grpc;
use http::Http;

/// The longest text of a collector that is repeated, in bytes.
const LONGEST: usize = 200;

/// Sends one batch, once.
pub(crate) trait Send: std::marker::Send + Sync + 'static {
    /// What is sent, also when it is sent again.
    type Payload: std::marker::Send + Sync;

    fn prepare(&self, request: ExportTraceServiceRequest) -> Self::Payload;

    /// Safe under cancellation: a request that is given up may have arrived.
    fn send(
        &self,
        payload: &Self::Payload,
    ) -> impl Future<Output = Result<Answer, Trouble>> + std::marker::Send;
}

/// The collector has answered that it took the batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    /// How many spans it did not take, and does not want again.
    pub(crate) refused: u64,
    /// Why.
    pub(crate) said: String,
}

impl From<ExportTraceServiceResponse> for Answer {
    fn from(response: ExportTraceServiceResponse) -> Self {
        let partly = response.partial_success.unwrap_or_default();
        let refused = u64::try_from(partly.rejected_spans).unwrap_or_default();
        Self { refused, said: short(&partly.error_message) }
    }
}

/// The batch was not taken, for all we know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trouble {
    /// Whether sending it again may help.
    pub(crate) passes: bool,
    /// When, if the collector says so.
    pub(crate) after: Option<Duration>,
    pub(crate) cause: String,
}

impl Trouble {
    pub(crate) fn passing(cause: String) -> Self {
        Self { passes: true, after: None, cause }
    }
}

/// One of the two.
pub(crate) enum Transport {
    Grpc(Box<Grpc>),
    Http(Http),
}

/// What one of the two sends.
pub(crate) enum Payload {
    Grpc(ExportTraceServiceRequest),
    Http(Vec<u8>),
}

impl Transport {
    pub(crate) fn new(settings: &Settings) -> Result<Self, Unusable> {
        Ok(match settings.protocol {
            Protocol::Grpc => Transport::Grpc(Box::new(Grpc::new(settings)?)),
            Protocol::Http => Transport::Http(Http::new(settings)?),
        })
    }
}

impl Send for Transport {
    type Payload = Payload;

    fn prepare(&self, request: ExportTraceServiceRequest) -> Payload {
        match self {
            Transport::Grpc(_) => Payload::Grpc(request),
            Transport::Http(_) => Payload::Http(prost::Message::encode_to_vec(&request)),
        }
    }

    async fn send(&self, payload: &Payload) -> Result<Answer, Trouble> {
        match (self, payload) {
            (Transport::Grpc(grpc), Payload::Grpc(request)) => grpc.send(request).await,
            (Transport::Http(http), Payload::Http(bytes)) => http.send(bytes).await,
            _ => Ok(Answer::default()),
        }
    }
}

fn short(text: &str) -> String {
    text[..text.floor_char_boundary(LONGEST)].to_owned()
}
