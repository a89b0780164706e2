//! The model as JSON Schema 2020-12: closed, flattened, under our own names.
//!
//! Word lists and the known members of open objects are taken from what the reader uses; a test holds both against
//! every vector and against mutated documents. The meaning of a document (names not empty, ids unique) and patterns
//! we cannot run are judged by [`crate::check`] only.

use serde_json::{Value, json};

use crate::read::{self, Form, OpenMember};
use crate::{
    Action, Category, CommitStatus, ConfirmationMethod, ConversationStatus, ExpectedType, Format, Map,
    Operation, ParticipantType, Rule, Severity, Source, SuggestedAction, ValidationStatus, Word,
};

/// The version of the model these schemas describe.
pub const MODEL_VERSION: &str = "1.0.0";

/// Every schema's name.
pub const SCHEMAS: [&str; 10] = [
    "act",
    "ask",
    "fact",
    "confirm",
    "commit",
    "error",
    "entity",
    "participant",
    "conversation",
    "constraint",
];

/// The schema of this name, or nothing when there is none. Its `$id` is [`schema_id`].
pub fn schema(name: &str) -> Option<Value> {
    let mut schema = match name {
        "act" => act(),
        "ask" => said("ask", &["field", "prompt"], ask()),
        "fact" => said("fact", &["entity", "field", "value"], fact()),
        "confirm" => said("confirm", &["entity", "summary"], confirm()),
        "commit" => said("commit", &["entity", "action"], commit()),
        "error" => said("error", &["code", "message", "recoverable"], failure()),
        "entity" => entity(),
        "participant" => participant(),
        "conversation" => conversation(),
        "constraint" => constraint(),
        _ => return None,
    };
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    schema["$id"] = schema_id(name).into();
    Some(schema)
}

/// The `$id` of a schema.
pub fn schema_id(name: &str) -> String {
    format!("urn:cardan:schema:{name}:1")
}

fn refer(name: &str) -> Value {
    json!({ "$ref": schema_id(name) })
}

fn closed(required: &[&str], properties: Value) -> Value {
    json!({ "type": "object", "required": required, "properties": properties, "additionalProperties": false })
}

fn words<W: Word>() -> Value {
    json!({ "enum": W::ALL.iter().map(|word| word.as_str()).collect::<Vec<_>>() })
}

fn text() -> Value {
    json!({ "type": "string" })
}

fn texts() -> Value {
    json!({ "type": "array", "items": text() })
}

fn formed(format: &str) -> Value {
    json!({ "type": "string", "format": format })
}

fn flag() -> Value {
    json!({ "type": "boolean" })
}

fn count() -> Value {
    json!({ "type": "integer", "minimum": 0 })
}

fn unit() -> Value {
    json!({ "type": "number", "minimum": 0, "maximum": 1 })
}

fn object() -> Value {
    json!({ "type": "object" })
}

fn id(prefix: &str) -> Value {
    json!({ "type": "string", "pattern": format!("^{prefix}[a-zA-Z0-9_-]+$") })
}

fn open(known: &[OpenMember]) -> Value {
    let member = |(name, form): &OpenMember| {
        let schema = match form {
            Form::Text => text(),
            Form::Texts => texts(),
            Form::Language => json!({ "type": "string", "pattern": "^[a-z]{2}(-[A-Z]{2})?$" }),
            Form::Count => count(),
            Form::Amount => json!({ "type": "number", "minimum": 0 }),
            Form::Unit => unit(),
        };
        ((*name).to_owned(), schema)
    };
    json!({ "type": "object", "properties": known.iter().map(member).collect::<Map>() })
}

fn act() -> Value {
    let kinds = ["ask", "fact", "confirm", "commit", "error"];
    json!({ "oneOf": kinds.map(refer) })
}

/// One of the five: what every act has, and its own members, in one closed object.
fn said(kind: &str, required: &[&str], own: Value) -> Value {
    let mut properties = json!({
        "id": id("act_"),
        "timestamp": formed("date-time"),
        "speaker": text(),
        "type": { "const": kind },
        "confidence": unit(),
        "source": words::<Source>(),
        "metadata": open(read::BASE_METADATA),
    });
    if let (Value::Object(all), Value::Object(own)) = (&mut properties, own) {
        all.extend(own);
    }
    let required: Vec<&str> =
        ["id", "timestamp", "speaker", "type"].iter().chain(required).copied().collect();
    closed(&required, properties)
}

fn ask() -> Value {
    json!({
        "field": text(),
        "prompt": text(),
        "constraints": { "type": "array", "items": refer("constraint") },
        "required": flag(),
        "expected_type": words::<ExpectedType>(),
        "retry_count": count(),
        "max_retries": count(),
    })
}

fn entity_ref() -> Value {
    json!({ "anyOf": [text(), refer("entity")] })
}

fn fact() -> Value {
    json!({
        "entity": entity_ref(),
        "field": text(),
        "value": true,
        "operation": words::<Operation>(),
        "previous_value": true,
        "validation_status": words::<ValidationStatus>(),
        "validation_errors": texts(),
    })
}

fn confirm() -> Value {
    json!({
        "entity": entity_ref(),
        "summary": text(),
        "awaiting": flag(),
        "confirmed": flag(),
        "confirmation_method": words::<ConfirmationMethod>(),
        "fields_confirmed": texts(),
        "rejection_reason": text(),
        "timeout_ms": count(),
    })
}

fn commit() -> Value {
    json!({
        "entity": entity_ref(),
        "action": words::<Action>(),
        "system": text(),
        "transaction_id": text(),
        "status": words::<CommitStatus>(),
        "error": {
            "type": "object",
            "required": ["code", "message"],
            "properties": { "code": text(), "message": text(), "details": object(), "recoverable": flag() },
        },
        "retry_count": count(),
        "max_retries": count(),
        "idempotency_key": text(),
        "rollback_info": object(),
    })
}

fn failure() -> Value {
    json!({
        "code": text(),
        "message": text(),
        "recoverable": flag(),
        "severity": words::<Severity>(),
        "category": words::<Category>(),
        "details": object(),
        "related_act_id": id("act_"),
        "suggested_action": words::<SuggestedAction>(),
        "user_message": text(),
        "stack_trace": text(),
    })
}

fn entity() -> Value {
    let properties = json!({
        "id": text(),
        "type": text(),
        "external_id": text(),
        "system": text(),
        "version": text(),
        "schema_url": formed("uri"),
        "metadata": object(),
    });
    closed(&["id", "type"], properties)
}

fn participant() -> Value {
    let properties = json!({
        "id": text(),
        "type": words::<ParticipantType>(),
        "role": text(),
        "name": text(),
        "email": formed("email"),
        "phone": text(),
        "external_id": text(),
        "system": text(),
        "capabilities": texts(),
        "permissions": texts(),
        "preferences": open(read::PREFERENCES),
        "metadata": object(),
    });
    closed(&["id", "type"], properties)
}

fn conversation() -> Value {
    let properties = json!({
        "id": id("conv_"),
        "participants": { "type": "array", "minItems": 1, "items": refer("participant") },
        "acts": { "type": "array", "items": refer("act") },
        "started_at": formed("date-time"),
        "ended_at": formed("date-time"),
        "status": words::<ConversationStatus>(),
        "channel": text(),
        "schema": text(),
        "context": open(read::CONTEXT),
        "final_state": object(),
        "metadata": open(read::METADATA),
    });
    closed(&["id", "participants", "acts"], properties)
}

/// The value follows the type; without a type nothing is said about it.
fn constraint() -> Value {
    let types = json!({ "enum": Rule::NAMES });
    let number = json!({ "type": "number" });
    let bounds = json!({ "min": number, "max": number, "inclusive": flag() });
    let when = |type_: &str, value: Value| {
        json!({
            "if": { "required": ["type"], "properties": { "type": { "const": type_ } } },
            "then": { "required": ["value"], "properties": { "value": value } },
        })
    };
    let mut schema =
        closed(&["type"], json!({ "type": types, "value": true, "message": text(), "code": text() }));
    schema["allOf"] = json!([
        when("min_length", count()),
        when("max_length", count()),
        when("pattern", formed("regex")),
        when("format", words::<Format>()),
        when("range", closed(&[], bounds)),
        when("enum", json!({ "type": "array", "minItems": 1 })),
    ]);
    schema
}
