//! What the document says of systems and their guards.

use serde_json::{Value, json};

use super::schema::{closed, object};

pub(super) fn system() -> Value {
    let text = json!({"type": "string"});
    let operations = json!({"type": "array", "items": {"type": "object"}});
    let status = json!({
        "type": ["object", "null"],
        "properties": {
            "mode": maybe_mode(),
            "lanes": {"type": "array", "items": lane()},
            "group": {"type": "string", "description": "Who is asked first, when this is a system made of systems."},
            "members": {"type": "array", "items": {"type": "object"}},
        },
    });
    object(
        &["name", "operations"],
        json!({
            "name": text, "adapter": text, "version": text, "operations": operations, "status": status,
            "orders": {"type": "array", "items": order(), "description": "What operators told its breakers."},
        }),
    )
}

/// Its other members are for people to read.
pub(super) fn lane() -> Value {
    let properties = json!({
        "operation": {"type": ["string", "null"], "description": "The one operation it is for."},
        "key": {"type": ["string", "null"], "description": "The one tenant or model it is for."},
        "state": {"type": "string", "enum": ["closed", "open", "half_open"]}, "mode": maybe_mode(),
    });
    object(&["operation", "key", "state", "mode"], properties)
}

pub(super) fn set_guard() -> Value {
    let mut set = closed(json!({
        "mode": mode(), "operation": operation_named(), "key": key_named(),
        "until": {"type": ["string", "null"], "format": "date-time", "description": "When it ends by itself."},
        "for_ms": {"type": ["integer", "null"], "minimum": 1, "description": "The same, counted from now."},
        "reason": {"type": "string", "maxLength": 500},
    }));
    set["required"] = json!(["mode"]);
    set
}

pub(super) fn operation_named() -> Value {
    json!({
        "type": ["string", "null"],
        "description": "Only breakers of this operation: one with a breaker of its own, or any when there is one per operation.",
    })
}

pub(super) fn key_named() -> Value {
    json!({
        "type": ["string", "null"],
        "description": "Only breakers of this tenant or model, as `status.lanes` names it; also in operations it has not called.",
    })
}

pub(super) fn guard_set() -> Value {
    let survives = "True: it holds until it is told otherwise, or until `until`.";
    let mut was = maybe_mode();
    was["description"] = json!("Null when the breakers were not all in the same mode.");
    let name = json!({"type": ["string", "null"]});
    let properties = json!({
        "name": {"type": "string"}, "operation": name, "key": name, "mode": mode(), "was": was,
        "by": {"type": "string"}, "reason": {"type": "string"}, "until": {"type": ["string", "null"], "format": "date-time"},
        "survives_restart": {"const": true, "description": survives}, "status": {"type": ["object", "null"]},
    });
    object(&["name", "mode", "was", "survives_restart"], properties)
}

/// What an operator told breakers.
pub(super) fn order() -> Value {
    let name = json!({"type": ["string", "null"]});
    let properties = json!({
        "operation": name, "key": name, "mode": mode(), "by": {"type": "string"}, "reason": {"type": "string"},
        "since": {"type": "string", "format": "date-time"},
        "until": {"type": ["string", "null"], "format": "date-time"},
    });
    object(&["mode", "by", "since"], properties)
}

pub(super) fn mode() -> Value {
    json!({"type": "string", "enum": modes().collect::<Vec<_>>()})
}

pub(super) fn maybe_mode() -> Value {
    json!({"type": ["string", "null"], "enum": modes().chain([Value::Null]).collect::<Vec<_>>()})
}

pub(super) fn modes() -> impl Iterator<Item = Value> {
    crate::Mode::ALL.into_iter().map(|mode| mode.as_str().into())
}
