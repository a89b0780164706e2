//! A collector that answers as it is told to: gRPC by tonic's server, HTTP by axum.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use otlp::Protocol;
use parking_lot::Mutex;
use prost::Message;
use tokio::net::TcpListener;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

/// What a collector does with a request.
#[derive(Clone, Copy)]
pub(crate) enum Does {
    /// Says 503, or that it is unavailable.
    IsAway,
    /// Asks to be left alone for no time at all.
    IsBusy,
    /// Says 400, or that this is no request.
    Refuses,
    /// Takes all but so many.
    TakesAllBut(i64),
}

#[derive(Clone, Default)]
pub(crate) struct Collector {
    /// What it does next; then it takes everything.
    pub(crate) does: Arc<Mutex<Vec<Does>>>,
    pub(crate) got: Arc<Mutex<Vec<(HeaderMap, ExportTraceServiceRequest)>>>,
}

impl Collector {
    pub(crate) fn that(does: impl IntoIterator<Item = Does>) -> Self {
        let mut does: Vec<Does> = does.into_iter().collect();
        does.reverse();
        Self { does: Arc::new(Mutex::new(does)), got: Arc::default() }
    }

    /// Listens, with the protocol, at a free port.
    pub(crate) async fn listens(&self, protocol: Protocol) -> String {
        self.listens_at(protocol, "127.0.0.1:0".parse().unwrap()).await
    }

    pub(crate) async fn listens_at(&self, protocol: Protocol, address: SocketAddr) -> String {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let this = self.clone();
        tokio::spawn(async move {
            match protocol {
                Protocol::Http => {
                    let routes = axum::Router::new().route("/v1/traces", axum::routing::post(over_http));
                    axum::serve(listener, routes.with_state(this)).await.unwrap();
                }
                Protocol::Grpc => {
                    let incoming = tokio_stream::wrappers::TcpListenerStream::new(listener);
                    let service = TraceServiceServer::new(this);
                    let server = tonic::transport::Server::builder().add_service(service);
                    server.serve_with_incoming(incoming).await.unwrap();
                }
            }
        });
        format!("http://{address}")
    }

    /// The ids of the spans in each request.
    pub(crate) fn ids(&self) -> Vec<Vec<u64>> {
        let ids = |request: &ExportTraceServiceRequest| {
            let scopes = request.resource_spans.iter().flat_map(|resource| &resource.scope_spans);
            let spans = scopes.flat_map(|scope| &scope.spans);
            spans.map(|span| u64::from_be_bytes(span.span_id.as_slice().try_into().unwrap())).collect()
        };
        self.got.lock().iter().map(|(_, request)| ids(request)).collect()
    }

    fn takes(&self, headers: HeaderMap, request: ExportTraceServiceRequest) -> Option<Does> {
        self.got.lock().push((headers, request));
        self.does.lock().pop()
    }
}

fn partly(refused: i64) -> ExportTraceServiceResponse {
    let said = ExportTracePartialSuccess { rejected_spans: refused, error_message: "too long".to_owned() };
    ExportTraceServiceResponse { partial_success: Some(said) }
}

async fn over_http(State(collector): State<Collector>, headers: HeaderMap, body: Bytes) -> Response {
    assert_eq!(headers["content-type"], "application/x-protobuf");
    let request = ExportTraceServiceRequest::decode(body).unwrap();
    match collector.takes(headers, request) {
        Some(Does::IsAway) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Some(Does::IsBusy) => (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "0")]).into_response(),
        Some(Does::Refuses) => StatusCode::BAD_REQUEST.into_response(),
        Some(Does::TakesAllBut(refused)) => partly(refused).encode_to_vec().into_response(),
        None => ExportTraceServiceResponse::default().encode_to_vec().into_response(),
    }
}

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: tonic::Request<ExportTraceServiceRequest>,
    ) -> Result<tonic::Response<ExportTraceServiceResponse>, Status> {
        let headers = request.metadata().clone().into_headers();
        match self.takes(headers, request.into_inner()) {
            Some(Does::IsAway) => Err(Status::unavailable("restarting")),
            Some(Does::IsBusy) => {
                let when = ErrorDetails::with_retry_info(Some(std::time::Duration::ZERO));
                Err(Status::with_error_details(Code::ResourceExhausted, "too many", when))
            }
            Some(Does::Refuses) => Err(Status::resource_exhausted("too large")),
            Some(Does::TakesAllBut(refused)) => Ok(tonic::Response::new(partly(refused))),
            None => Ok(tonic::Response::new(ExportTraceServiceResponse::default())),
        }
    }
}
