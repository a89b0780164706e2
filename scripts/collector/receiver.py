"""Receives spans as others decode them: gRPC by its own C core, protobuf by Google's library, OTLP by OpenTelemetry's definitions."""
import concurrent.futures, http.server, socketserver, threading, time

import grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as service, trace_service_pb2_grpc as stubs
from opentelemetry.proto.trace.v1 import trace_pb2 as trace

KINDS = {trace.Span.SPAN_KIND_SERVER: "server", trace.Span.SPAN_KIND_CLIENT: "client", trace.Span.SPAN_KIND_INTERNAL: "internal"}


class Receiver(stubs.TraceServiceServicer):
    """Both protocols, at ports of their own."""

    def __init__(self):
        self.spans, self.headers, self.lock = [], [], threading.Lock()
        self.server = grpc.server(concurrent.futures.ThreadPoolExecutor(4))
        stubs.add_TraceServiceServicer_to_server(self, self.server)
        self.grpc = f"http://127.0.0.1:{self.server.add_insecure_port('127.0.0.1:0')}"
        self.server.start()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                assert (self.path, self.headers["content-type"]) == ("/v1/traces", "application/x-protobuf"), self.path
                request = service.ExportTraceServiceRequest.FromString(self.rfile.read(int(self.headers["content-length"])))
                receiver.take(request, dict(self.headers))
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        class Http(socketserver.ThreadingMixIn, http.server.HTTPServer):
            daemon_threads = True

        web = Http(("127.0.0.1", 0), Handler)
        self.http = f"http://127.0.0.1:{web.server_address[1]}"
        threading.Thread(target=web.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()

    def Export(self, request, context):
        self.take(request, dict(context.invocation_metadata()))
        return service.ExportTraceServiceResponse()

    def take(self, request, headers):
        with self.lock:
            self.headers.append({name.lower(): value for name, value in headers.items()})
            for resource in request.resource_spans:
                whose = attributes(resource.resource)
                self.spans += [read(span, whose) for scope in resource.scope_spans for span in scope.spans]

    def of(self, trace_id):
        with self.lock:
            return [span for span in self.spans if span["trace"] == trace_id]

    def wait(self, trace_id, enough, seconds=60):
        """The spans of a trace, once there are `enough` in somebody's opinion."""
        end = time.monotonic() + seconds
        while not enough(self.of(trace_id)):
            assert time.monotonic() < end, [span["name"] for span in self.of(trace_id)]
            time.sleep(0.02)
        return self.of(trace_id)


def attributes(of):
    return {a.key: getattr(a.value, a.value.WhichOneof("value")) for a in of.attributes}


def read(span, whose):
    return {
        "trace": span.trace_id.hex(), "id": span.span_id.hex(), "parent": span.parent_span_id.hex(), "name": span.name,
        "kind": KINDS.get(span.kind), "start": span.start_time_unix_nano, "end": span.end_time_unix_nano, "said": attributes(span),
        "status": {0: None, 1: "ok", 2: "error"}[span.status.code], "message": span.status.message, "whose": whose, "flags": span.flags,
        "events": [(event.name, attributes(event)) for event in span.events],
    }
