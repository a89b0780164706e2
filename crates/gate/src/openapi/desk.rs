//! The shapes of what people at the desk look at.

use serde_json::{Value, json};

use super::schema::{object, page};

/// A page of the inbox.
pub(super) fn inbox() -> Value {
    let text = json!({"type": ["string", "null"]});
    let what = ["unknown", "parked", "stuck", "paused", "blocked", "behind", "question", "dead_letter"];
    let entry = json!({
        "what": {"type": "string", "enum": what},
        "since": {"type": "string", "format": "date-time"},
        "run": text, "flow": text, "step": text, "system": text, "operation": text, "conversation": text,
        "letter": {"type": ["string", "null"], "description": "The dead letter about it."},
        "why": {"type": "string"},
        "commands": {"type": "array", "items": {"type": "string"}, "description": "Each of them settles it; `…` \
            stands for what the person knows."},
    });
    let mut inbox = page("inbox", object(&["what", "since", "why", "commands"], entry));
    inbox["properties"]["complete"] = json!({
        "type": "boolean",
        "description": "Whether everything was looked at: 10,000 live runs and 10,000 open dead letters at most are.",
    });
    inbox
}
