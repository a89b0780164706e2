//! A conversation for tests: says things, folds what is decided, remembers what came of it.

use std::sync::Arc;

use act::{Accepted, Act, CommitError, Participant, ParticipantType, parse_act};
use diag::Node;
use jiff::Timestamp;
use react::{
    Change, Commitment, Conversation, Decision, DeriveRule, EntityRules, Event, Outcome, Refusal, Route,
    Rules, Standing, Started, Utterance, begin, decide, outcome,
};
use serde_json::{Value, json};

/// A held clock.
pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_741_079_700 + second).expect("a time")
}

/// A conversation, and everything that happened in it.
pub(crate) struct Story {
    pub(crate) rules: Rules,
    pub(crate) talk: Conversation,
    pub(crate) events: Vec<Event>,
    said: u32,
    /// What is known of whoever speaks next.
    pub(crate) standing: Standing,
}

impl Story {
    /// Begins with the participant `ann`.
    pub(crate) fn new(rules: Rules) -> Self {
        let mut story = Self {
            rules,
            talk: Conversation::new("conv_1"),
            events: Vec::new(),
            said: 0,
            standing: Standing::default(),
        };
        let ann = Participant::new("ann", ParticipantType::Human);
        let begun =
            begin(&story.talk, Started::new("acme", at(0)), vec![ann], false).expect("a new conversation");
        story.fold(&begun);
        story
    }

    pub(crate) fn fold(&mut self, decision: &Decision) {
        for event in &decision.events {
            self.talk.apply(event);
            self.events.push(event.clone());
        }
    }

    /// Says something; `rest` are the members of the act beside its name, time and speaker.
    pub(crate) fn say(&mut self, rest: Value) -> Result<Decision, Refusal> {
        self.said += 1;
        let act = act(self.said, rest);
        let decision = self.decide(&act)?;
        self.fold(&decision);
        Ok(decision)
    }

    pub(crate) fn decide(&self, act: &Arc<Act>) -> Result<Decision, Refusal> {
        let said = Utterance {
            act: act.clone(),
            at: at(100),
            correlation: "trace-1".into(),
            standing: self.standing.clone(),
        };
        decide(&self.rules, &self.talk, &said)
    }

    /// A run says how far it has come.
    pub(crate) fn run(&mut self, run: &str, commit: &str, change: Change) -> Decision {
        let told = Outcome {
            commit: commit.to_owned(),
            run: run.to_owned(),
            speaker: "create-order".to_owned(),
            change,
            at: at(200),
            correlation: "trace-1".into(),
        };
        let remembered =
            self.events.iter().fold(None, |known, event| Commitment::remember(known, commit, event));
        let decision = outcome(&self.rules, &self.talk, &told, remembered.as_ref());
        self.fold(&decision);
        decision
    }

    pub(crate) fn field(&self, entity: &str, field: &str) -> Option<&Value> {
        self.talk.entities.get(entity)?.fields.get(field)
    }
}

/// An act by `ann`, unless `rest` names another speaker.
pub(crate) fn act(number: u32, rest: Value) -> Arc<Act> {
    let mut value = json!({
        "id": format!("act_{number}"), "timestamp": at(i64::from(number)).to_string(), "speaker": "ann",
    });
    let Value::Object(rest) = rest else { panic!("members of an act") };
    value.as_object_mut().expect("an object").extend(rest);
    let Accepted { value, .. } =
        parse_act(value.to_string().as_bytes(), &act::Rules::compat()).expect("a sound act");
    Arc::new(value)
}

pub(crate) fn fact(entity: impl Into<Value>, field: &str, value: impl Into<Value>) -> Value {
    json!({ "type": "fact", "entity": entity.into(), "field": field, "value": value.into() })
}

pub(crate) fn operate(entity: &str, field: &str, operation: &str, value: impl Into<Value>) -> Value {
    json!({ "type": "fact", "entity": entity, "field": field, "operation": operation, "value": value.into() })
}

pub(crate) fn commit(system: &str, action: &str) -> Value {
    json!({ "type": "commit", "entity": "order_1", "action": action, "system": system, "idempotency_key": "k-1" })
}

/// Rules for orders, from configuration.
pub(crate) fn rules(order: Value) -> Rules {
    let mut rules = Rules::default();
    rules
        .entities
        .insert("order".to_owned(), EntityRules::compile(&Node::from_json(&order)).expect("sound rules"));
    rules.routes.push(route(Some("order_management"), Some("create"), "create-order"));
    rules
}

pub(crate) fn route(system: Option<&str>, action: Option<&str>, flow: &str) -> Route {
    let action = action.map(|action| act::Word::parse(action).expect("an action"));
    Route { system: system.map(str::to_owned), action, flow: flow.to_owned() }
}

pub(crate) fn derive(rule: Value) -> DeriveRule {
    DeriveRule::compile(&Node::from_json(&rule)).expect("a sound rule")
}

/// The names of a decision's events.
pub(crate) fn names(decision: &Decision) -> Vec<&'static str> {
    decision.events.iter().map(Event::name).collect()
}

/// An event's data as it is stored.
pub(crate) fn data(event: &Event) -> Value {
    serde_json::from_slice(&event.encode()).expect("json")
}

/// The codes of a validation error.
pub(crate) fn codes(decision: &Decision) -> Vec<String> {
    let errors = decision.events.iter().find_map(|event| match event {
        Event::ValidationError(error) => Some(&error.errors),
        _ => None,
    });
    errors.into_iter().flatten().map(|error| error.code.clone()).collect()
}

pub(crate) fn failure(code: &str) -> CommitError {
    CommitError {
        code: code.into(),
        message: "declined".into(),
        recoverable: Some(false),
        ..CommitError::default()
    }
}
