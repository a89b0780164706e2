use std::io;
use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::{Value, json};
use tracing_subscriber::layer::SubscriberExt;

use super::{Error, Json, filter, text};

#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl io::Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn written(say: impl FnOnce()) -> Vec<Value> {
    let page = Page::default();
    let writer = page.clone();
    let subscriber = tracing_subscriber::registry().with(Json::new(move || writer.clone()));
    tracing::subscriber::with_default(subscriber, say);
    let bytes = page.0.lock().clone();
    String::from_utf8(bytes).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn every_line_below_a_span_carries_its_correlation_id() {
    let lines = written(|| {
        let _span =
            tracing::info_span!("act", correlation_id = "cor_1", conversation_id = "conv_1").entered();
        let _inner = tracing::info_span!("call", integration = "crm").entered();
        tracing::info!(stage = "validation_complete", act_id = "act_1", act_type = "fact", "act accepted");
    });
    let line = &lines[0];
    for (member, value) in [
        ("correlation_id", json!("cor_1")),
        ("conversation_id", json!("conv_1")),
        ("integration", json!("crm")),
        ("stage", json!("validation_complete")),
        ("act_id", json!("act_1")),
        ("act_type", json!("fact")),
        ("message", json!("act accepted")),
        ("level", json!("INFO")),
    ] {
        assert_eq!(line[member], value, "{member} in {line}");
    }
    assert!(line["timestamp"].as_str().is_some_and(|at| at.ends_with('Z')));
}

#[test]
fn a_line_for_people_carries_its_trace_and_span_too() {
    let page = Page::default();
    let writer = page.clone();
    let subscriber = tracing_subscriber::registry().with(text(move || writer.clone(), false));
    tracing::subscriber::with_default(subscriber, || {
        let _span = tracing::error_span!("request", trace_id = "4bf9", span_id = "00f0").entered();
        tracing::info!("act accepted");
    });
    let line = String::from_utf8(page.0.lock().clone()).unwrap();
    for said in ["trace_id=\"4bf9\"", "span_id=\"00f0\"", "act accepted"] {
        assert!(line.contains(said), "{said} in {line}");
    }
}

#[test]
fn a_secret_is_not_written_whatever_its_type() {
    let lines = written(|| {
        let _span = tracing::info_span!("call", api_key = "k-123456").entered();
        tracing::error!(password = "hunter2", AUTHORIZATION = ?Some("Bearer abc"), session_token = 42, "calling crm");
    });
    let text = lines[0].to_string();
    for secret in ["k-123456", "hunter2", "Bearer", "abc"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    assert_eq!(lines[0]["session_token"], "[redacted]");
    assert_eq!(lines[0]["AUTHORIZATION"], "[redacted]");
}

#[test]
fn b38_fields_are_printed_and_a_closed_span_leaves_nothing_behind() {
    let lines = written(|| {
        tracing::info_span!("call", integration = "crm")
            .in_scope(|| tracing::info!(duration_ms = 12, success = true, "called"));
        tracing::info!("idle");
    });
    assert_eq!((&lines[0]["duration_ms"], &lines[0]["success"]), (&json!(12), &json!(true)));
    assert_eq!(lines.len(), 2, "one handler, one line per event");
    assert!(lines[1].get("integration").is_none(), "{}", lines[1]);
}

#[test]
fn fields_recorded_later_are_printed() {
    let lines = written(|| {
        let span = tracing::info_span!("request", principal = tracing::field::Empty);
        span.record("principal", "ada");
        span.in_scope(|| tracing::info!("served"));
    });
    assert_eq!(lines[0]["principal"], "ada");
}

#[test]
fn a_line_is_one_line() {
    let lines = written(|| tracing::info!(summary = "a\nb\u{2028}\"c\"", "said"));
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["summary"], "a\nb\u{2028}\"c\"");
}

#[test]
fn a_level_that_is_none_is_refused() {
    assert!(filter("info").is_ok() && filter("warn,flow=debug").is_ok());
    assert!(matches!(filter("loud"), Err(Error::Level(_))));
}
