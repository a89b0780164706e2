//! `telemetry`: where spans are exported to. Without it they stay here.

use std::time::Duration;

use diag::{Diagnostic, Entry, Field, Node, Shape};
use otlp::Protocol;
use reqwest::Url;
use reqwest::header::{HeaderName, HeaderValue};

use super::code;
use super::judge::Judge;

/// A collector of spans, and what may be spent on it.
#[derive(Clone, Debug, PartialEq)]
pub struct Collector {
    /// Where it is.
    pub endpoint: Url,
    /// How it is spoken to.
    pub protocol: Protocol,
    /// What goes with each request.
    pub headers: Vec<(HeaderName, Said)>,
    /// How long a request may take.
    pub timeout: Duration,
    /// Which part of the traces that begin here is recorded.
    pub sample: f64,
    /// How many spans wait at most.
    pub queue: usize,
    /// How many go in one request at most.
    pub batch: usize,
    /// How long a span waits at most for others to go with it.
    pub interval: Duration,
    /// As whose the spans are exported.
    pub service: String,
}

/// The value of a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// As it was written.
    Open(HeaderValue),
    /// A secret, by name.
    Secret(String),
}

const GRPC: &str = "http://127.0.0.1:4317";
const TIMEOUT: Duration = Duration::from_secs(10);
const INTERVAL: Duration = Duration::from_secs(5);
const QUEUE: u64 = 4096;
const BATCH: u64 = 512;
const SERVICE: &str = "cardan";
/// Headers that the protocols set themselves.
const OWNED: [&str; 8] = [
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "host",
    "te",
    "transfer-encoding",
    "user-agent",
];
/// How the names of headers end that carry credentials.
const CREDENTIALS: [&str; 7] = ["key", "apikey", "token", "secret", "password", "auth", "authorization"];

pub(super) fn shape() -> Shape {
    let show = diag::units::show_duration;
    let header = Shape::one_of([Shape::text(), Shape::secret()]);
    let otlp = Shape::object([
        Field::new("endpoint", Shape::text().example(GRPC)).required().doc(
            "scheme, host and port of the collector; over HTTP `/v1/traces` is added when there is no path, and `https` trusts \
             the machine's authorities",
        ),
        Field::new("protocol", Shape::choice(["grpc", "http"]))
            .default("grpc")
            .doc("OTLP over gRPC (port 4317 by custom), or over HTTP with protobuf (4318)"),
        Field::new("headers", Shape::map("header", header))
            .doc("what goes with each request, a credential as `{ secret: NAME }`"),
        Field::new("service", Shape::text()).default(SERVICE).doc("the `service.name` of what is exported"),
        Field::new("sample", Shape::number(0.0..=1.0))
            .default(1)
            .doc("which part of the traces that begin here is recorded; of others their callers decide"),
        Field::new("timeout", Shape::duration()).default(show(TIMEOUT)).doc("how long one request may take"),
        Field::new("queue", Shape::int(1..=100_000))
            .default(QUEUE)
            .doc("how many spans wait at most; further ones are dropped and counted"),
        Field::new("batch", Shape::int(1..=2048)).default(BATCH).doc("how many go in one request at most"),
        Field::new("interval", Shape::duration())
            .default(show(INTERVAL))
            .doc("how long a span waits at most for others to go with it"),
    ]);
    Shape::object([Field::new("otlp", otlp)
        .doc("an OpenTelemetry collector that spans are exported to; see [traces](traces.md)")])
}

pub(super) fn read(judge: &mut Judge<'_>) -> Option<Collector> {
    let node = judge.root.at("/telemetry/otlp")?;
    let number = |key: &str, default: u64| {
        usize::try_from(node.get(key).and_then(Node::u64).unwrap_or(default)).unwrap_or(usize::MAX)
    };
    let duration = |key: &str, default: Duration| node.get(key).and_then(Node::duration).unwrap_or(default);
    let protocol = match node.get("protocol").and_then(Node::text) {
        Some("http") => Protocol::Http,
        _ => Protocol::Grpc,
    };
    let headers = node.get("headers").map_or(&[][..], Node::entries);
    let headers = headers.iter().filter_map(|entry| header(judge, entry)).collect();
    Some(Collector {
        endpoint: endpoint(judge, node.get("endpoint")?, protocol)?,
        protocol,
        headers,
        timeout: duration("timeout", TIMEOUT),
        sample: node.get("sample").and_then(Node::f64).unwrap_or(1.0),
        queue: number("queue", QUEUE),
        batch: number("batch", BATCH),
        interval: duration("interval", INTERVAL),
        service: node.get("service").and_then(Node::text).unwrap_or(SERVICE).to_owned(),
    })
}

fn endpoint(judge: &mut Judge<'_>, node: &Node, protocol: Protocol) -> Option<Url> {
    let text = node.text()?;
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    let url = url.filter(|url| url.host_str().is_some_and(|host| !host.is_empty()));
    let plain = |url: &Url| url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    let placed = |url: &Url| protocol == Protocol::Http || (url.path() == "/" && url.query().is_none());
    let message = match &url {
        None => "this is no address of a collector",
        Some(url) if !plain(url) => "the address of a collector has no credentials and no fragment",
        Some(url) if !placed(url) => "over gRPC the address of a collector has no path",
        Some(_) => return url,
    };
    let mut found = Diagnostic::error(code::BAD_COLLECTOR, &node.span, message);
    if text.contains('@') {
        found = found.hiding(&node.span);
    }
    judge.push(found.help(format!("write {GRPC}, or https://collector.example:4318 with `protocol: http`")));
    None
}

fn header(judge: &mut Judge<'_>, entry: &Entry) -> Option<(HeaderName, Said)> {
    let mut refuse = |at, message: String, help: &str| {
        judge.push(Diagnostic::error(code::BAD_SPAN_HEADER, at, message).help(help));
    };
    let Ok(name) = HeaderName::from_bytes(entry.key.as_bytes()) else {
        refuse(&entry.key_span, format!("{:?} is not a header name", entry.key), "use letters, digits and -");
        return None;
    };
    if OWNED.contains(&name.as_str()) || name.as_str().starts_with("grpc-") {
        refuse(&entry.key_span, format!("the header {name} is set by the protocol"), "take it out");
        return None;
    }
    if let Some((secret, _)) = entry.value.secret() {
        return Some((name, Said::Secret(secret.to_owned())));
    }
    let text = entry.value.text()?;
    let visible = text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) && text.trim() == text;
    let Some(value) = HeaderValue::from_str(text).ok().filter(|_| visible) else {
        let found = Diagnostic::error(
            code::BAD_SPAN_HEADER,
            &entry.value.span,
            "the value cannot be sent in a header",
        );
        judge.push(found.hiding(&entry.value.span).help("use visible ASCII characters"));
        return None;
    };
    if name.as_str().rsplit(['-', '_']).next().is_some_and(|last| CREDENTIALS.contains(&last)) {
        let message = format!("the header {name} seems to carry a credential");
        let found = Diagnostic::warning(code::OPEN_SPAN_HEADER, &entry.value.span, message);
        let help = "name it under `secrets:` and write `{ secret: NAME }` here";
        judge.push(found.hiding(&entry.value.span).help(help));
    }
    Some((name, Said::Open(value)))
}
