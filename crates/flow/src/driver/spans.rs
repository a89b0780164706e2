//! The spans of runs and of their steps, recorded when they are over.
//!
//! Their ids come from the run, the step and when it began, and these are in the journal: a process that reads a run back
//! makes the same ids as the one before it, so what an earlier process began is recorded whole by the one that ends it.

use std::time::Duration;

use conversation::Change;
use jiff::Timestamp;
use port::{Attribute, Recorder, Span, SpanKind, TraceContext};
use serde_json::Value;
use xxhash_rust::xxh3::xxh3_64;

use super::runner::Runner;
use crate::core::{Ended, Event, Record, RecordStatus, Start, State};

/// An attribute and its value.
type Said = (&'static str, Attribute);

impl State {
    /// The span of the step that an entry is about, or the run's.
    pub(super) fn span_of(&self, event: &Event) -> Option<TraceContext> {
        event.path().map_or_else(|| self.run_span(), |path| self.step_span(path))
    }

    /// The run's span; what began it is its parent. Each end of a run that goes on after one has a span of its own.
    fn run_span(&self) -> Option<TraceContext> {
        let began = self.start.trace.as_deref().and_then(TraceContext::parse)?;
        let ends = self.ends - u32::from(self.ended.is_some());
        Some(below(began, &[&self.start.run, &ends.to_string()]))
    }

    /// A step's span; the run's for what is no step.
    fn step_span(&self, path: &str) -> Option<TraceContext> {
        let run = self.run_span()?;
        let Some(record) = self.record(path) else { return Some(run) };
        let began = record.started.as_nanosecond().to_string();
        Some(below(run, &[&self.start.run, path, &began]))
    }

    /// The trace that a step's calls, messages and runs continue.
    pub(super) fn step_trace(&self, path: &str) -> Option<String> {
        self.step_span(path).map(|span| span.to_string())
    }
}

/// The same for the same names, in every process.
fn below(parent: TraceContext, names: &[&str]) -> TraceContext {
    TraceContext { span_id: xxh3_64(names.join("\u{1f}").as_bytes()).max(1), ..parent }
}

impl Runner {
    fn recorder(&self) -> &dyn Recorder {
        self.engine.0.listener.recorder()
    }

    /// When the step that an entry is about ended, as far as it has.
    pub(super) fn ended_at(&self, event: &Event) -> Option<Timestamp> {
        self.state.record(event.path()?)?.ended
    }

    /// The span that an entry ends, now that it is folded in; `before` is when its step had ended before.
    pub(super) fn span_ended_by(&self, event: &Event, before: Option<Timestamp>) -> Option<Span> {
        let sampled = self.state.run_span()?.sampled;
        if !sampled || !self.recorder().wants() {
            return None;
        }
        match event {
            Event::RunEnded(ended) => self.run_ended(ended),
            _ => {
                let record = self.state.record(event.path()?)?;
                let ended = record.ended.filter(|ended| Some(*ended) != before)?;
                self.step_ended(record, ended)
            }
        }
    }

    /// After what they tell of is durable.
    pub(super) fn record(&self, spans: Vec<Span>) {
        spans.into_iter().for_each(|span| self.recorder().record(span));
    }

    fn step_ended(&self, record: &Record, ended: Timestamp) -> Option<Span> {
        let start = &self.state.start;
        let undo = if record.path.ends_with("/undo") { "/undo" } else { "" };
        let mut attributes = about(start);
        attributes.push(("flow.step", (*record.path).into()));
        attributes.push(("step.status", word(record.status).into()));
        attributes.push(("step.attempts", record.attempts.into()));
        if let Some(call) = self.state.call(&record.path) {
            attributes.push(("integration.name", (*call.system).into()));
            attributes.push(("integration.operation", (*call.operation).into()));
        }
        let error = record.error.as_ref().map(|error| error.code.clone());
        Some(Span {
            name: format!("{}.{}{undo}", start.flow, record.task.name),
            context: self.state.step_span(&record.path)?,
            parent: Some(self.state.run_span()?.span_id),
            kind: SpanKind::Internal,
            start: record.started,
            took: between(record.started, ended),
            attributes,
            error,
        })
    }

    fn run_ended(&self, ended: &Ended) -> Option<Span> {
        let (state, start) = (&self.state, &self.state.start);
        let mut attributes = about(start);
        attributes.push(("run.status", ended.status.as_str().into()));
        let commit = start.commit.is_some() && start.parent.is_none();
        let change = ended.change(state);
        if commit {
            attributes.extend(committed(start, &change));
        }
        let error = match change {
            Change::Failed { error, .. } => Some(error.code),
            Change::Unknown { .. } => Some("nobody knows whether a step landed".to_owned()),
            Change::InProgress | Change::Success { .. } => None,
        };
        let began = start.trace.as_deref().and_then(TraceContext::parse)?;
        Some(Span {
            name: if commit { "process-commit" } else { "process-run" }.to_owned(),
            context: state.run_span()?,
            parent: Some(began.span_id),
            kind: SpanKind::Internal,
            start: state.started,
            took: between(state.started, state.ended_at.unwrap_or(state.now)),
            attributes,
            error,
        })
    }
}

fn about(start: &Start) -> Vec<Said> {
    let mut attributes: Vec<Said> = vec![
        ("flow.name", start.flow.as_str().into()),
        ("flow.run", start.run.as_str().into()),
        ("correlation.id", start.correlation.as_str().into()),
        ("tenant.id", start.tenant.as_str().into()),
    ];
    attributes.extend(start.conversation.as_deref().map(|id| ("conversation.id", id.into())));
    attributes
}

/// What is known of the commit that began the run, and of what came of it.
fn committed(start: &Start, change: &Change) -> Vec<Said> {
    let text = |pointer: &str| start.input.pointer(pointer).and_then(Value::as_str);
    let system = text("/act/system").unwrap_or("unknown");
    let mut attributes: Vec<Said> = vec![("commit.system", system.into())];
    attributes.extend(text("/act/action").map(|action| ("commit.action", action.into())));
    let entity = text("/act/entity").or_else(|| text("/act/entity/id"));
    attributes.extend(entity.map(|entity| ("commit.entity", entity.into())));
    attributes.push(("act.id", start.commit.as_deref().unwrap_or_default().into()));
    let status = match change {
        Change::Success { transaction_id } => {
            let id = transaction_id.as_deref().map(|id| ("commit.transaction_id", id.into()));
            attributes.extend(id);
            "success"
        }
        Change::Failed { error, .. } => {
            attributes.push(("commit.error", error.code.as_str().into()));
            "failed"
        }
        Change::Unknown { .. } => "unknown",
        Change::InProgress => "in_progress",
    };
    attributes.push(("commit.status", status.into()));
    attributes
}

fn between(start: Timestamp, end: Timestamp) -> Duration {
    Duration::try_from(end.duration_since(start)).unwrap_or_default()
}

fn word(status: RecordStatus) -> &'static str {
    match status {
        RecordStatus::Running => "running",
        RecordStatus::Waiting => "waiting",
        RecordStatus::Blocked => "blocked",
        RecordStatus::Succeeded => "succeeded",
        RecordStatus::Failed => "failed",
        RecordStatus::Unknown => "unknown",
        RecordStatus::Skipped => "skipped",
        RecordStatus::Compensated => "compensated",
        RecordStatus::Parked => "parked",
        RecordStatus::Dropped => "dropped",
    }
}
