use std::time::Duration;

use opentelemetry_proto::tonic::trace::v1::Span;
use port::{SpanKind, TraceContext};

use super::{AnyValue, KeyValue, LONGEST, Value, span};

fn done(error: Option<&str>) -> port::Span {
    port::Span {
        name: "crm.create_contact".to_owned(),
        context: TraceContext { trace_id: 1, span_id: 2, sampled: true },
        parent: Some(3),
        kind: SpanKind::Client,
        start: "2026-11-30T08:00:00.5Z".parse().unwrap(),
        took: Duration::from_millis(25),
        attributes: vec![
            ("integration.name", "crm".into()),
            ("integration.attempt", 2u32.into()),
            ("integration.success", error.is_none().into()),
            ("integration.error", "timeout".into()),
        ],
        error: error.map(str::to_owned),
    }
}

fn said<'a>(attributes: &'a [KeyValue], name: &str) -> &'a Value {
    let found = attributes.iter().find(|attribute| attribute.key == name);
    let Some(AnyValue { value: Some(value) }) = found.and_then(|found| found.value.as_ref()) else {
        panic!("{name} is not there")
    };
    value
}

#[test]
fn a_span_keeps_its_ids_its_times_and_the_types_of_what_is_known() {
    let Span {
        trace_id,
        span_id,
        parent_span_id,
        kind,
        start_time_unix_nano,
        end_time_unix_nano,
        status,
        attributes,
        events,
        flags,
        ..
    } = span(done(None));
    assert_eq!((trace_id.len(), trace_id.last(), span_id.len()), (16, Some(&1), 8));
    assert_eq!((span_id.last(), parent_span_id.last(), kind), (Some(&2), Some(&3), 3));
    assert_eq!(start_time_unix_nano, 1_796_025_600_500_000_000);
    assert_eq!(end_time_unix_nano - start_time_unix_nano, 25_000_000);
    assert_eq!((status.unwrap().code, events.len(), flags), (1, 0, 0x101));
    assert_eq!(said(&attributes, "integration.attempt"), &Value::IntValue(2));
    assert_eq!(said(&attributes, "integration.success"), &Value::BoolValue(true));
}

#[test]
fn an_error_is_a_status_and_an_exception() {
    let failed = span(done(Some("no answer within 2s")));
    let status = failed.status.unwrap();
    assert_eq!((status.code, &*status.message), (2, "no answer within 2s"));
    let exception = &failed.events[0];
    assert_eq!((&*exception.name, exception.time_unix_nano), ("exception", failed.end_time_unix_nano));
    assert_eq!(said(&exception.attributes, "exception.type"), &Value::StringValue("timeout".into()));
    let message = said(&exception.attributes, "exception.message");
    assert_eq!(message, &Value::StringValue("no answer within 2s".into()));
}

#[test]
fn a_callers_span_is_remote_and_a_long_text_is_cut() {
    let mut request = done(Some(&"ä".repeat(LONGEST)));
    request.kind = SpanKind::Server;
    let request = span(request);
    assert_eq!(request.flags, 0x301);
    assert_eq!(request.status.unwrap().message.len(), LONGEST);
    let mut first = done(None);
    (first.kind, first.parent) = (SpanKind::Server, None);
    let first = span(first);
    assert_eq!((first.flags, first.parent_span_id.len()), (0x101, 0));
}
