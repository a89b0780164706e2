//! Spans as lines of the log: one when a span is over, at the level of `span=debug`.

use port::{Recorder, Span};
use serde_json::{Map, Value};

/// Writes each span as one line.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lines;

impl Recorder for Lines {
    fn wants(&self) -> bool {
        tracing::enabled!(target: "span", tracing::Level::DEBUG)
    }

    fn record(&self, span: Span) {
        let attributes: Map<String, Value> =
            span.attributes.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        let attributes = Value::Object(attributes).to_string();
        tracing::debug!(
            target: "span",
            trace_id = %format_args!("{:032x}", span.context.trace_id),
            span_id = %format_args!("{:016x}", span.context.span_id),
            parent_id = span.parent.map(|parent| format!("{parent:016x}")),
            kind = span.kind.as_str(),
            name = span.name,
            start = %span.start,
            duration_us = u64::try_from(span.took.as_micros()).unwrap_or(u64::MAX),
            attributes,
            error = span.error,
            "span"
        );
    }
}
