//! The shapes of what goes in and out. Acts come from `act`; the others are written here, beside each other.

use act::Word as _;
use serde_json::{Map, Value, json};

use super::systems::{guard_set, key_named, operation_named, set_guard, system};

macro_rules! schemas {
    ($($name:ident: $text:literal => $make:expr;)+) => {
        /// A named shape.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Schema { $($name,)+ }

        impl Schema {
            fn name(self) -> &'static str {
                match self { $(Schema::$name => $text),+ }
            }
        }

        /// Every named shape, for `components.schemas`; also those of `act` that are only part of others.
        pub(super) fn components() -> Map<String, Value> {
            let mut all = Map::from_iter(act::SCHEMAS.iter().map(|name| ((*name).to_owned(), model(name))));
            $(all.insert($text.to_owned(), $make);)+
            all
        }
    };
}

schemas! {
    Nothing: "Nothing" => json!({"type": "object", "additionalProperties": false});
    Problem: "Problem" => problem();
    Act: "act" => model("act");
    Taken: "Taken" => taken();
    NewConversation: "NewConversation" => new_conversation();
    EndConversation: "EndConversation" => end_conversation();
    Conversation: "conversation" => model("conversation");
    ConversationList: "ConversationList" => page("conversations", json!({"type": "object"}));
    Entity: "Entity" => entity();
    EntityList: "EntityList" => page("entities", reference("Entity"));
    EventStream: "EventStream" => json!({"type": "string", "description": "Server-Sent Events; the id of each is its position in the log."});
    Run: "Run" => run();
    RunList: "RunList" => page("runs", json!({"type": "object"}));
    Reason: "Reason" => closed(json!({"reason": {"type": "string", "maxLength": 500, "description": "Why, for the journal."}}));
    UndoRun: "UndoRun" => closed(json!({"reason": {"type": "string", "maxLength": 500, "description": "Why, for the journal."}, "force": {"type": "boolean", "description": "Also below a later run with its key that stands."}}));
    SignalPayload: "SignalPayload" => json!({"description": "Any JSON value: what the `listen` gives."});
    Signalled: "Signalled" => signalled();
    Command: "Command" => closed(json!({"reason": reason(), "send_again": send_again()}));
    RestartRun: "RestartRun" => object(
        &["step"],
        json!({"step": step_path(), "reason": reason(), "send_again": send_again()}),
    );
    SettleStep: "SettleStep" => object(
        &["step", "landed", "reason"],
        json!({
            "step": step_path(), "reason": reason(),
            "landed": {"type": "boolean", "description": "Whether the step's effect is there."},
            "output": {"description": "What the system answered, when it landed; the step's output."},
        }),
    );
    Question: "Question" => question();
    QuestionList: "QuestionList" => page("questions", reference("Question"));
    AnswerQuestion: "AnswerQuestion" => answer_question();
    WithdrawQuestion: "WithdrawQuestion" => object(
        &["reason"],
        json!({"reason": {"type": "string", "minLength": 1, "maxLength": 500, "description": "Why; the run is told."}}),
    );
    DeadLetter: "DeadLetter" => dead();
    DeadLetterList: "DeadLetterList" => page("dead", reference("DeadLetter"));
    EditDeadLetter: "EditDeadLetter" => object(&["input"], json!({"input": {"description": "The new input of the call."}}));
    Effects: "Effects" => super::desk::effects();
    Inbox: "Inbox" => super::desk::inbox();
    Outbox: "Outbox" => page("outbox", undelivered());
    System: "System" => system();
    SetGuard: "SetGuard" => set_guard();
    ResetGuard: "ResetGuard" => closed(json!({"operation": operation_named(), "key": key_named()}));
    GuardSet: "GuardSet" => guard_set();
    SystemList: "SystemList" => object(&["systems"], json!({"systems": {"type": "array", "items": reference("System")}}));
}

impl Schema {
    pub(super) fn reference(self) -> Value {
        reference(self.name())
    }

    pub(super) fn media(self) -> &'static str {
        match self {
            Schema::EventStream => "text/event-stream",
            _ => "application/json",
        }
    }
}

/// A schema of the model, its references turned into this document's.
fn model(name: &str) -> Value {
    let mut schema = act::schema(name).unwrap_or_default();
    if let Some(members) = schema.as_object_mut() {
        members.remove("$id");
        members.remove("$schema");
    }
    rewired(&mut schema);
    schema
}

fn rewired(value: &mut Value) {
    match value {
        Value::Object(members) => {
            if let Some(Value::String(to)) = members.get_mut("$ref")
                && let Some(name) = act::SCHEMAS.iter().find(|name| act::schema_id(name) == *to)
            {
                *to = format!("#/components/schemas/{name}");
            }
            members.values_mut().for_each(rewired);
        }
        Value::Array(items) => items.iter_mut().for_each(rewired),
        _ => {}
    }
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

pub(super) fn object(required: &[&str], properties: Value) -> Value {
    json!({"type": "object", "required": required, "properties": properties})
}

pub(super) fn page(member: &str, items: Value) -> Value {
    let next = json!({"type": ["string", "null"], "description": "Give it as `after` for the next page."});
    object(&[member, "next"], json!({member: {"type": "array", "items": items}, "next": next}))
}

fn issue() -> Value {
    let text = json!({"type": "string"});
    object(&["pointer", "code", "message"], json!({"pointer": text, "code": text, "message": text}))
}

fn problem() -> Value {
    let text = json!({"type": "string"});
    let codes: Vec<&str> = crate::Code::ALL.iter().map(|code| code.as_str()).collect();
    let properties = json!({
        "type": {"type": "string", "format": "uri"}, "title": text, "status": {"type": "integer"},
        "code": {"type": "string", "enum": codes}, "detail": text, "instance": text, "error": text,
        "errors": {"type": "array", "items": issue()}, "details": {"type": "array", "items": issue()},
    });
    object(&["type", "title", "status", "code"], properties)
}

fn taken() -> Value {
    let integration = json!({
        "system": {"type": "string"}, "status": {"type": "string", "enum": ["success", "error", "pending"]},
        "run": {"type": "string"}, "result": {}, "error": {"type": "string"}, "recoverable": {"type": "boolean"},
    });
    let properties = json!({
        "processedAct": reference("act"),
        "result": ruling(),
        "position": {"type": "integer", "description": "Send it as Cardan-At-Least to read what was written."},
        "replayed": {"type": "boolean", "description": "The act had been taken before; this is the answer of then."},
        "integrations": {"type": "array", "items": object(&["system", "status"], integration)},
        "nextActions": {"type": "array", "items": {"type": "object"}},
        "warnings": {"type": "array", "items": issue()},
    });
    object(&["processedAct", "position", "integrations", "nextActions"], properties)
}

fn ruling() -> Value {
    let complaint = json!({
        "code": {"type": "string"}, "message": {"type": "string"}, "field": {"type": "string"},
    });
    let words: Vec<&str> = react::ActStatus::ALL.iter().map(|status| status.as_str()).collect();
    let properties = json!({
        "status": {"type": "string", "enum": words, "description": "What became of the act. One that is invalid \
            is kept and changed nothing; a commit that is unrouted was published, and no flow took it."},
        "errors": {"type": "array", "items": object(&["code", "message"], complaint)},
    });
    object(&["status"], properties)
}

fn new_conversation() -> Value {
    let properties = json!({
        "id": {"type": "string", "pattern": "^conv_[a-zA-Z0-9_-]+$"},
        "participants": {"type": "array", "minItems": 1, "items": reference("participant")},
        "channel": {"type": "string"}, "context": {"type": "object"},
    });
    object(&["participants"], properties)
}

fn end_conversation() -> Value {
    let status =
        json!({"type": "string", "enum": ["completed", "failed", "cancelled"], "default": "completed"});
    object(&[], json!({"status": status, "error": {"description": "Why it ended badly."}}))
}

fn entity() -> Value {
    let properties = json!({
        "id": {"type": "string"}, "type": {"type": ["string", "null"]}, "version": {"type": "integer"},
        "fields": {"type": "object"},
    });
    object(&["id", "version", "fields"], properties)
}

fn signalled() -> Value {
    let text = json!({"type": "string"});
    let run = object(&["id", "flow", "status"], json!({"id": text, "flow": text, "status": text}));
    object(
        &["signal", "id", "runs"],
        json!({"signal": text, "id": text, "runs": {"type": "array", "items": run}}),
    )
}

fn question() -> Value {
    let (text, maybe) = (json!({"type": "string"}), json!({"type": ["string", "null"]}));
    let words = ["open", "answered", "expired", "withdrawn", "changed", "ended", "closed"];
    let properties = json!({
        "id": text, "status": {"type": "string", "enum": words}, "type": {"enum": ["confirm", "fact"]},
        "conversation": text, "run": text, "step": text, "entity": maybe, "field": maybe, "text": text,
        "entity_version": {"type": ["integer", "null"], "description": "The version of the entity that is shown."},
        "shows": {"description": "What is shown beside the words."}, "digest": text, "by": {"type": "object"},
        "committer": maybe, "asked": text, "expires": maybe, "act": reference("act"),
        "position": {"type": "integer"}, "warnings": {"type": "array", "items": issue()},
        "result": {"type": ["object", "null"], "description": "What became of the act that answers."},
    });
    object(&["id", "status", "conversation", "run"], properties)
}

fn answer_question() -> Value {
    closed(json!({
        "confirmed": {"type": "boolean", "description": "Yes or no, to a confirmation."},
        "value": {"description": "The field's value, to an ask."},
        "reason": {"type": "string", "maxLength": 500},
        "speaker": {"type": "string", "description": "Who answers; the caller, unless it speaks for others."},
        "entity": {"type": "string", "description": "Of which entity, where the question is about any."},
    }))
}

fn step_path() -> Value {
    json!({"type": "string", "description": "The step's path."})
}

fn reason() -> Value {
    json!({"type": "string", "description": "Why, in the person's own words; kept in the run's journal."})
}

fn send_again() -> Value {
    json!({
        "type": "boolean", "default": false,
        "description": "Whether what may have landed and must not be repeated is sent again all the same.",
    })
}

fn run() -> Value {
    let text = json!({"type": "string"});
    let properties = json!({
        "id": text, "flow": text, "hash": text, "status": text, "started": text,
        "steps": {"type": "array", "items": {"type": "object"}},
        "compensation": {"type": "array", "items": {"type": "object"}},
    });
    object(&["id", "flow", "status"], properties)
}

fn dead() -> Value {
    let text = json!({"type": "string"});
    let error = object(&["message"], json!({"message": text, "code": text}));
    let metadata = json!({
        "attempts": {"type": "integer"}, "firstAttempt": text, "lastAttempt": text, "correlationId": text,
        "adapterId": text,
    });
    let properties = json!({
        "id": text, "originalMessage": {}, "error": error, "metadata": object(&["attempts"], metadata),
        "errorType": text, "timestamp": text, "retryCount": {"type": "integer"},
        "source": text, "system": text, "operation": text, "state": {"enum": ["open", "replayed", "discarded"]},
        "history": {"type": "array", "items": {"type": "object"}}, "idempotencyKey": {"type": ["string", "null"]},
    });
    object(&["id", "originalMessage", "error", "metadata", "state"], properties)
}

fn undelivered() -> Value {
    let (text, number) = (json!({"type": "string"}), json!({"type": "integer"}));
    let properties = json!({
        "id": {"type": "string", "description": "The run and the step."}, "system": text, "operation": text,
        "since": text, "attempts": number, "sent": number, "cause": {"type": ["string", "null"]},
        "correlation": text,
        "key": {"type": "string", "description": "Messages of one system and key are delivered one at a time, in order."},
        "blocked_on": {"type": "object", "description": "What it waits for: delivery, behind, dead_letter, blocked, retry, or a guard."},
    });
    object(&["id", "system", "operation", "since", "attempts", "blocked_on"], properties)
}

pub(super) fn closed(properties: Value) -> Value {
    json!({"type": "object", "additionalProperties": false, "properties": properties})
}
