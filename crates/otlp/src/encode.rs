//! Spans as OTLP has them.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, SpanKind};
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, SpanFlags, Status, TracesData};
use port::Attribute;

use crate::Settings;

/// The longest text of an attribute that is sent, in bytes.
const LONGEST: usize = 1024;

/// What every request says of whoever sends it.
#[derive(Clone, Debug)]
pub(crate) struct Sender {
    resource: Resource,
    scope: InstrumentationScope,
}

impl Sender {
    pub(crate) fn new(settings: &Settings) -> Self {
        let attributes =
            vec![text("service.name", &settings.service), text("service.version", settings.version)];
        let scope = InstrumentationScope {
            name: "cardan".to_owned(),
            version: settings.version.to_owned(),
            ..InstrumentationScope::default()
        };
        Self { resource: Resource { attributes, ..Resource::default() }, scope }
    }

    /// One request with all of these spans.
    pub(crate) fn request(&self, spans: Vec<port::Span>) -> ExportTraceServiceRequest {
        let spans = spans.into_iter().map(span).collect();
        let scoped = ScopeSpans { scope: Some(self.scope.clone()), spans, ..ScopeSpans::default() };
        let resource = Some(self.resource.clone());
        let resource_spans =
            vec![ResourceSpans { resource, scope_spans: vec![scoped], ..ResourceSpans::default() }];
        let TracesData { resource_spans } = TracesData { resource_spans };
        ExportTraceServiceRequest { resource_spans }
    }
}

fn span(span: port::Span) -> Span {
    let start = nanos(span.start);
    let end = start.saturating_add(u64::try_from(span.took.as_nanos()).unwrap_or(u64::MAX));
    let exception = span.error.as_deref().map(|error| exception(&span, error, end));
    Span {
        trace_id: span.context.trace_id.to_be_bytes().to_vec(),
        span_id: span.context.span_id.to_be_bytes().to_vec(),
        parent_span_id: span.parent.map(|parent| parent.to_be_bytes().to_vec()).unwrap_or_default(),
        flags: flags(&span),
        kind: kind(span.kind).into(),
        start_time_unix_nano: start,
        end_time_unix_nano: end,
        events: exception.into_iter().collect(),
        status: Some(status(span.error.as_deref())),
        name: span.name,
        attributes: span.attributes.into_iter().map(|(name, value)| attribute(name, value)).collect(),
        ..Span::default()
    }
}

/// That it is sampled, and whether what it is part of was elsewhere.
fn flags(span: &port::Span) -> u32 {
    let remote = span.kind == port::SpanKind::Server && span.parent.is_some();
    let elsewhere = if remote { SpanFlags::ContextIsRemoteMask as u32 } else { 0 };
    u32::from(span.context.sampled) | SpanFlags::ContextHasIsRemoteMask as u32 | elsewhere
}

fn kind(kind: port::SpanKind) -> SpanKind {
    match kind {
        port::SpanKind::Server => SpanKind::Server,
        port::SpanKind::Client => SpanKind::Client,
        port::SpanKind::Internal => SpanKind::Internal,
    }
}

fn status(error: Option<&str>) -> Status {
    match error {
        Some(error) => Status { code: StatusCode::Error.into(), message: cut(error).to_owned() },
        None => Status { code: StatusCode::Ok.into(), message: String::new() },
    }
}

/// The error as the field records exceptions.
fn exception(span: &port::Span, error: &str, end: u64) -> Event {
    let named = span.attributes.iter().find(|(name, _)| ERRORS.contains(name));
    let type_ = match named {
        Some((_, Attribute::Text(type_))) => type_.as_str(),
        _ => "error",
    };
    let attributes = vec![text("exception.type", type_), text("exception.message", error)];
    Event { time_unix_nano: end, name: "exception".to_owned(), attributes, ..Event::default() }
}

/// Attributes that say of what kind an error is.
const ERRORS: [&str; 3] = ["error.type", "integration.error", "commit.error"];

fn attribute(name: &str, value: Attribute) -> KeyValue {
    let value = match value {
        Attribute::Text(value) => return text(name, &value),
        Attribute::Int(value) => Value::IntValue(value),
        Attribute::Bool(value) => Value::BoolValue(value),
    };
    keyed(name, value)
}

fn text(name: &str, value: &str) -> KeyValue {
    keyed(name, Value::StringValue(cut(value).to_owned()))
}

fn keyed(name: &str, value: Value) -> KeyValue {
    KeyValue { key: name.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(LONGEST)]
}

fn nanos(at: jiff::Timestamp) -> u64 {
    u64::try_from(at.as_nanosecond()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
