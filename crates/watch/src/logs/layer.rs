//! Writes each event as one line of JSON.

use std::io::Write;

use serde_json::{Map, Value};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::fields::Members;

/// The layer. Takes its writer, so a test can read what was written.
#[derive(Debug)]
pub struct Json<W> {
    writer: W,
    now: fn() -> jiff::Timestamp,
}

impl<W> Json<W> {
    /// Writes to `writer`, with the machine's time.
    pub fn new(writer: W) -> Self {
        Self { writer, now: || port::Clock::now(&port::SystemClock) }
    }
}

impl<S, W> Layer<S> for Json<W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'w> MakeWriter<'w> + 'static,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id) {
            let mut members = Members::default();
            attributes.record(&mut members);
            span.extensions_mut().insert(members);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(members) = span.extensions_mut().get_mut::<Members>()
        {
            values.record(members);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut line = Map::new();
        line.insert("timestamp".into(), (self.now)().to_string().into());
        line.insert("level".into(), event.metadata().level().as_str().into());
        line.insert("target".into(), event.metadata().target().into());
        let mut said = Members::default();
        event.record(&mut said);
        add(&mut line, said);
        for span in context.event_scope(event).into_iter().flatten() {
            if let Some(members) = span.extensions().get::<Members>() {
                add(&mut line, members.clone());
            }
        }
        let mut text = Value::from(line).to_string();
        text.push('\n');
        // Nothing sensible can be done about a log that cannot be written.
        let _ = self.writer.make_writer_for(event.metadata()).write_all(text.as_bytes());
    }
}

/// What was said closer to the event stands.
fn add(line: &mut Map<String, Value>, members: Members) {
    for (name, value) in members.0 {
        line.entry(name).or_insert(value);
    }
}
