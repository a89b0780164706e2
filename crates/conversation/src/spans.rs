//! The spans of acts, and of the commits among them that set nothing in motion. Those that begin runs end with their runs,
//! and the flows record them.
//!
//! The id of an act's span comes from its request's span and the act's id: whoever needs it before the span is over makes
//! it again.

use act::{Act, Body, Commit, Word};
use jiff::Timestamp;
use port::{Attribute, Span, SpanKind, TraceContext};

use crate::identity::digest;
use crate::{Conversations, Error, Request, Submission, Taken};

/// What became of an act, from when to when.
pub(crate) struct Handled<'a> {
    pub(crate) act: &'a Act,
    pub(crate) verdict: Result<&'a Taken, &'a Error>,
    pub(crate) start: Timestamp,
    pub(crate) took: std::time::Duration,
}

impl Conversations {
    fn records(&self, request: &Request<'_>) -> bool {
        request.trace.sampled && self.telemetry.recorder().wants()
    }

    /// The span of an act, which what it sets in motion is part of; its request's when nobody records it.
    pub(crate) fn span_of(&self, request: &Request<'_>, act: &Act) -> TraceContext {
        if self.records(request) { below(request.trace, act.id.as_str()) } else { request.trace }
    }

    /// Records that an act was handled.
    pub(crate) fn record(&self, submission: &Submission<'_>, handled: &Handled<'_>) {
        let request = &submission.request;
        if !self.records(request) {
            return;
        }
        let Handled { act, verdict, start, took } = *handled;
        let context = below(request.trace, act.id.as_str());
        let (error, outcome) = match verdict {
            Ok(taken) => (None, taken.result.as_ref().map(|ruling| ruling.status.as_str())),
            Err(error) => (Some(said(error)), None),
        };
        let span = Span {
            name: "process-act".to_owned(),
            context,
            parent: Some(request.trace.span_id),
            kind: SpanKind::Internal,
            start,
            took,
            attributes: vec![
                ("act.type", act.type_name().into()),
                ("act.id", act.id.as_str().into()),
                ("conversation.id", submission.conversation.into()),
                ("speaker.id", act.speaker.as_str().into()),
                ("act.status", outcome.unwrap_or("refused").into()),
                ("act.replayed", verdict.is_ok_and(|taken| taken.replayed).into()),
                ("correlation.id", (*request.correlation).into()),
                ("tenant.id", (*request.caller.tenant).into()),
            ],
            error: error.clone(),
        };
        let began = verdict.is_ok_and(|taken| !taken.runs.is_empty());
        if let (Body::Commit(commit), false) = (&act.body, began) {
            let attributes = committed(commit, error.as_deref());
            let (name, context, parent) =
                ("process-commit".to_owned(), below(context, "commit"), Some(context.span_id));
            let commit = Span { name, context, parent, attributes, ..span.clone() };
            self.telemetry.recorder().record(commit);
        }
        self.telemetry.recorder().record(span);
    }
}

fn committed(commit: &Commit, error: Option<&str>) -> Vec<(&'static str, Attribute)> {
    let status = if error.is_none() { "success" } else { "failed" };
    let mut attributes: Vec<(&'static str, Attribute)> = vec![
        ("commit.action", commit.action.as_str().into()),
        ("commit.system", commit.system.as_deref().unwrap_or("unknown").into()),
        ("commit.entity", commit.entity.id().into()),
        ("commit.status", status.into()),
    ];
    let transaction = commit.transaction_id.as_deref().map(|id| ("commit.transaction_id", id.into()));
    attributes.extend(transaction);
    attributes.extend(error.map(|error| ("commit.error", error.into())));
    attributes
}

/// The stable word of an error. What is wrong in an act quotes it, and acts are not in spans.
fn said(error: &Error) -> String {
    match error {
        Error::Refused(refusal) => refusal.code.as_str().to_owned(),
        Error::Store(_) => "store".to_owned(),
        Error::Internal => "internal".to_owned(),
    }
}

fn below(parent: TraceContext, name: &str) -> TraceContext {
    let digest = digest(["cardan span 1", &parent.to_string(), name]);
    let (first, _) = digest.split_first_chunk::<8>().unwrap_or((&[1; 8], &[]));
    TraceContext { span_id: u64::from_be_bytes(*first).max(1), ..parent }
}
