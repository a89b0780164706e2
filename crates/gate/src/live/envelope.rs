//! An event as subscribers see it: the common envelope, in the form of Server-Sent Events.

use std::collections::BTreeMap;
use std::io::Write as _;

use serde::Serialize;
use serde_json::value::RawValue;
use store::Event;

#[derive(Serialize)]
struct Envelope<'a> {
    id: String,
    #[serde(rename = "type")]
    type_: &'a str,
    source: &'a str,
    timestamp: String,
    payload: &'a RawValue,
    metadata: BTreeMap<&'static str, String>,
    correlation_id: &'a str,
}

/// Writes one event. Events hold compact JSON, so the data is one line; were it not, it would be told in parts.
pub(super) fn write(to: &mut Vec<u8>, event: &Event) {
    let Some(json) = json(event) else {
        tracing::error!(position = event.position, "event is not JSON");
        return;
    };
    // Writing to a Vec cannot fail.
    let _ = writeln!(to, "id: {}\nevent: {}", event.position, event.type_);
    for line in json.split('\n') {
        let _ = writeln!(to, "data: {line}");
    }
    to.push(b'\n');
}

fn json(event: &Event) -> Option<String> {
    let mut metadata = BTreeMap::from([("version", event.version.to_string())]);
    if let Some(causation) = &event.causation {
        metadata.insert("causation_id", causation.to_string());
    }
    let envelope = Envelope {
        id: event.position.to_string(),
        type_: &event.type_,
        source: &event.stream,
        timestamp: event.at.to_string(),
        payload: serde_json::from_slice(&event.data).ok()?,
        metadata,
        correlation_id: &event.correlation,
    };
    serde_json::to_string(&envelope).ok()
}
