//! What was done, from when to when, as part of which trace: one span, and whoever records it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::{Clock, Entropy, Fault, Landed, TraceContext};

/// Which side of an exchange a span is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpanKind {
    /// A request that came in.
    Server,
    /// A request that went out.
    Client,
    /// Work inside.
    Internal,
}

impl SpanKind {
    /// `server`, `client`, `internal`.
    pub fn as_str(self) -> &'static str {
        match self {
            SpanKind::Server => "server",
            SpanKind::Client => "client",
            SpanKind::Internal => "internal",
        }
    }
}

/// What is known of something that was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attribute {
    /// A name, an id, a word.
    Text(String),
    /// A number.
    Int(i64),
    /// Whether it is so.
    Bool(bool),
}

impl From<&str> for Attribute {
    fn from(text: &str) -> Self {
        Attribute::Text(text.to_owned())
    }
}

impl From<String> for Attribute {
    fn from(text: String) -> Self {
        Attribute::Text(text)
    }
}

impl From<u32> for Attribute {
    fn from(number: u32) -> Self {
        Attribute::Int(number.into())
    }
}

impl From<u16> for Attribute {
    fn from(number: u16) -> Self {
        Attribute::Int(number.into())
    }
}

impl From<bool> for Attribute {
    fn from(so: bool) -> Self {
        Attribute::Bool(so)
    }
}

/// Something that was done. Never carries a payload.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    /// What was done: `crm.create_contact`.
    pub name: String,
    /// The trace, and the id of this span; what a remote was sent.
    pub context: TraceContext,
    /// The span that this one is part of; `None` for the first of a trace.
    pub parent: Option<u64>,
    /// Which side of an exchange.
    pub kind: SpanKind,
    /// When it began.
    pub start: Timestamp,
    /// How long it took.
    pub took: Duration,
    /// What else is known, by the field's names.
    pub attributes: Vec<(&'static str, Attribute)>,
    /// Why it did not succeed.
    pub error: Option<String>,
}

/// Takes spans that are over. Called on the path of the call: never blocks.
pub trait Recorder: Send + Sync + 'static {
    /// Whether spans are wanted now. When not, none are made, and what remotes are sent stays as it is.
    fn wants(&self) -> bool;
    /// Whether a trace that begins here is recorded. Of a trace that began elsewhere its caller decides.
    fn samples(&self, trace_id: u128) -> bool;
    /// A span is over.
    fn record(&self, span: Span);
}

impl<R: Recorder + ?Sized> Recorder for Arc<R> {
    fn wants(&self) -> bool {
        (**self).wants()
    }
    fn samples(&self, trace_id: u128) -> bool {
        (**self).samples(trace_id)
    }
    fn record(&self, span: Span) {
        (**self).record(span);
    }
}

/// Records nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unrecorded;

impl Recorder for Unrecorded {
    fn wants(&self) -> bool {
        false
    }
    fn samples(&self, _trace_id: u128) -> bool {
        true
    }
    fn record(&self, _span: Span) {}
}

impl TraceContext {
    /// The context of a request: a child of its caller's, or a trace that begins here.
    pub fn entered(parent: Option<Self>, recorder: &dyn Recorder, entropy: &dyn Entropy) -> Self {
        let Some(parent) = parent else {
            let root = Self::root(entropy);
            return Self { sampled: recorder.samples(root.trace_id), ..root };
        };
        parent.child(entropy)
    }
}

/// A span that is not over. One that is dropped is recorded as given up, so that no id was sent that nobody knows.
pub struct OpenSpan<'a> {
    recorder: &'a dyn Recorder,
    clock: &'a dyn Clock,
    begun: Instant,
    span: Option<Span>,
}

impl<'a> OpenSpan<'a> {
    /// Begins a span now; `None` when nobody records it.
    pub fn begin(
        recorder: &'a dyn Recorder,
        clock: &'a dyn Clock,
        context: TraceContext,
        parent: Option<u64>,
    ) -> Option<Self> {
        if !context.sampled || !recorder.wants() {
            return None;
        }
        let span = Span {
            name: String::new(),
            context,
            parent,
            kind: SpanKind::Internal,
            start: clock.now(),
            took: Duration::ZERO,
            attributes: Vec::new(),
            error: None,
        };
        Some(Self { recorder, clock, begun: clock.instant(), span: Some(span) })
    }

    /// Names it.
    #[must_use]
    pub fn named(mut self, kind: SpanKind, name: String) -> Self {
        if let Some(span) = &mut self.span {
            (span.kind, span.name) = (kind, name);
        }
        self
    }

    /// Says one thing more.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Attribute>) -> Self {
        if let Some(span) = &mut self.span {
            span.attributes.push((name, value.into()));
        }
        self
    }

    /// It is over; `error` says why it did not succeed.
    pub fn end(mut self, error: Option<String>) {
        self.over(error);
    }

    /// It is over, as a call is.
    pub fn end_as<T>(self, outcome: &Result<T, Fault>) {
        match outcome {
            Ok(_) => self.with("integration.success", true).end(None),
            // What a fault says beside its message may quote the system's own words; it stays in the log.
            Err(fault) => self
                .with("integration.success", false)
                .with("integration.error", fault.kind.as_str())
                .with("integration.landed", landed(fault.landed))
                .end(Some(fault.message.to_string())),
        }
    }

    fn over(&mut self, error: Option<String>) {
        if let Some(mut span) = self.span.take() {
            span.took = self.clock.instant().saturating_duration_since(self.begun);
            span.error = error;
            self.recorder.record(span);
        }
    }
}

fn landed(landed: Landed) -> &'static str {
    match landed {
        Landed::No => "no",
        Landed::Yes => "yes",
        Landed::Unknown => "unknown",
    }
}

impl Drop for OpenSpan<'_> {
    fn drop(&mut self) {
        self.over(Some("given up before it ended".to_owned()));
    }
}
