//! Answers that are many: a document per line, or server-sent events. Bounded like every other answer.

use serde_json::{Map, Value};

use super::answer::read;

/// Every line that is not empty, as JSON. The error has the number of the line, from 1.
pub(super) fn lines(text: &str) -> Result<Vec<Value>, (usize, json::Mistake)> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines.map(|(at, line)| read(line.as_bytes()).map_err(|mistake| (at + 1, mistake))).collect()
}

/// The events of `text/event-stream` (HTML, 9.2.6), each with its `event`, `data` and, where there is one, `id`. Data that
/// is a JSON object or array is that; other data is text. An event that is not ended by an empty line is none.
pub(super) fn events(text: &str) -> Vec<Value> {
    let mut events = Vec::new();
    let (mut event, mut data, mut id) = (None, Vec::new(), None);
    for line in text.replace("\r\n", "\n").split(['\n', '\r']) {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => event = Some(value),
            "data" => data.push(value),
            "id" => id = Some(value),
            "" if line.is_empty() => {
                let (event, data) = (event.take(), std::mem::take(&mut data));
                if !data.is_empty() {
                    events.push(told(event, &data.join("\n"), id));
                }
            }
            // A comment, a time to reconnect after, or what nobody knows.
            _ => {}
        }
    }
    events
}

fn told(event: Option<&str>, data: &str, id: Option<&str>) -> Value {
    let document = read(data.as_bytes()).ok().filter(|data| data.is_object() || data.is_array());
    let mut told = Map::new();
    told.insert("event".into(), event.filter(|event| !event.is_empty()).unwrap_or("message").into());
    told.insert("data".into(), document.unwrap_or_else(|| data.into()));
    if let Some(id) = id {
        told.insert("id".into(), id.into());
    }
    told.into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_document_per_line() {
        assert_eq!(lines("{\"a\":1}\n\n[2]\r\n3").unwrap(), [json!({ "a": 1 }), json!([2]), json!(3)]);
        assert_eq!(lines("").unwrap(), Vec::<Value>::new());
        assert_eq!(lines("1\n{\n").unwrap_err().0, 2);
    }

    #[test]
    fn events_are_read_as_browsers_read_them() {
        let text = ": hello\nretry: 10\nevent: token\nid: 7\ndata: {\"t\":\"a\"}\n\ndata:one\ndata: two\n\nid: 8\r\ndata: [DONE]\r\n\r\ndata: cut";
        let told = json!([
            { "event": "token", "data": { "t": "a" }, "id": "7" },
            { "event": "message", "data": "one\ntwo", "id": "7" },
            { "event": "message", "data": "[DONE]", "id": "8" },
        ]);
        assert_eq!(Value::from(events(text)), told);
        assert!(events("").is_empty() && events("event: x\n\n").is_empty());
    }
}
