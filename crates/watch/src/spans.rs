//! Spans as lines of the log: one when a span is over, at the level of `span=debug`.

use port::{Attribute, Recorder, Span};
use serde_json::{Map, Value};

/// Writes each span as one line.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lines;

impl Recorder for Lines {
    fn wants(&self) -> bool {
        tracing::enabled!(target: "span", tracing::Level::DEBUG)
    }

    fn samples(&self, _trace_id: u128) -> bool {
        true
    }

    fn record(&self, span: Span) {
        let attributes: Map<String, Value> =
            span.attributes.into_iter().map(|(name, value)| (name.to_owned(), json(value))).collect();
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

fn json(value: Attribute) -> Value {
    match value {
        Attribute::Text(text) => text.into(),
        Attribute::Int(number) => number.into(),
        Attribute::Bool(so) => so.into(),
    }
}

/// Two that record: what only one of them wants goes to that one, and a trace must be sampled by both.
pub struct Both<A, B>(pub A, pub B);

impl<A: Recorder, B: Recorder> Recorder for Both<A, B> {
    fn wants(&self) -> bool {
        self.0.wants() || self.1.wants()
    }

    fn samples(&self, trace_id: u128) -> bool {
        self.0.samples(trace_id) && self.1.samples(trace_id)
    }

    fn record(&self, span: Span) {
        if !self.0.wants() {
            return self.1.record(span);
        }
        if self.1.wants() {
            self.1.record(span.clone());
        }
        self.0.record(span);
    }
}
