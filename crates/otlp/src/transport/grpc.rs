//! OTLP over gRPC.

use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use tonic::metadata::MetadataMap;
use tonic::transport::{Channel, ClientTlsConfig, Endpoint};
use tonic::{Code, Request, Status};
use tonic_types::StatusExt;

use super::{Answer, Trouble, short};
use crate::{Settings, Unusable};

/// How long making a TCP and TLS connection may take.
const CONNECT: Duration = Duration::from_secs(5);
/// How often a connection in use is asked whether it is there, and how long its answer may take: one that was cut without a
/// word would else be believed in for a quarter of an hour.
const ALIVE: (Duration, Duration) = (Duration::from_secs(20), Duration::from_secs(10));

pub(crate) struct Grpc {
    client: TraceServiceClient<Channel>,
    metadata: MetadataMap,
}

impl Grpc {
    pub(super) fn new(settings: &Settings) -> Result<Self, Unusable> {
        let unusable = |error: tonic::transport::Error| settings.unusable(causes(&error));
        let mut endpoint = Endpoint::from_shared(settings.endpoint.to_string())
            .map_err(unusable)?
            .user_agent(concat!("cardan/", env!("CARGO_PKG_VERSION")))
            .map_err(unusable)?
            .connect_timeout(CONNECT)
            .http2_keep_alive_interval(ALIVE.0)
            .keep_alive_timeout(ALIVE.1)
            .tcp_nodelay(true);
        if settings.endpoint.scheme() == "https" {
            let tls = ClientTlsConfig::new().with_native_roots();
            endpoint = endpoint.tls_config(tls).map_err(unusable)?;
        }
        let client = TraceServiceClient::new(endpoint.connect_lazy());
        Ok(Self { client, metadata: MetadataMap::from_headers(settings.headers.clone()) })
    }

    pub(super) async fn send(&self, request: &ExportTraceServiceRequest) -> Result<Answer, Trouble> {
        let mut request = Request::new(request.clone());
        *request.metadata_mut() = self.metadata.clone();
        match self.client.clone().export(request).await {
            Ok(response) => Ok(response.into_inner().into()),
            Err(status) => Err(trouble(&status)),
        }
    }
}

/// Who is exhausted may be asked again only when it says when.
fn trouble(status: &Status) -> Trouble {
    let after = status.get_details_retry_info().and_then(|retry| retry.retry_delay);
    let passes = match status.code() {
        Code::ResourceExhausted => after.is_some(),
        Code::Cancelled
        | Code::DeadlineExceeded
        | Code::Aborted
        | Code::OutOfRange
        | Code::Unavailable
        | Code::DataLoss => true,
        _ => false,
    };
    let said = match std::error::Error::source(status) {
        Some(source) => causes(source),
        None => status.message().to_owned(),
    };
    Trouble { passes, after, cause: format!("{:?}: {}", status.code(), short(&said)) }
}

/// An error with what it was caused by.
fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let mut said: Vec<String> = causes.map(ToString::to_string).collect();
    said.dedup();
    said.join(": ")
}
