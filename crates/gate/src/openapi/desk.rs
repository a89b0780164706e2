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

/// A page of the ledger of effects.
pub(super) fn effects() -> Value {
    let (text, maybe) = (json!({"type": "string"}), json!({"type": ["string", "null"]}));
    let who = object(&["by"], json!({"by": text, "reason": text}));
    let look = object(&["at"], json!({"at": text, "found": {"type": ["boolean", "null"]}, "answer": {}}));
    let undo = object(
        &["state", "key"],
        json!({
            "state": {"type": "string", "enum": ["pending", "undone", "nothing_to_undo", "parked", "unknown"]},
            "key": text, "settled": who,
        }),
    );
    let known = json!({"type": ["string", "null"], "enum": ["answer", "look_up", "person", null]});
    let effect = json!({
        "run": text, "flow": text, "conversation": maybe, "entity": maybe, "root_entity": text, "step": text, "system": text,
        "operation": text, "member": text, "sent": maybe,
        "key": {"type": "string", "description": "The idempotency key, the same on every attempt."},
        "outcome": {"type": "string", "enum": ["pending", "landed", "did_not_land", "unknown"]},
        "known_by": known, "settled": who, "looks": {"type": "array", "items": look},
        "undo": {"oneOf": [undo, {"type": "null"}], "description": "`null` unless it was to be undone."},
    });
    page("effects", object(&["run", "flow", "step", "system", "operation", "key", "outcome"], effect))
}
