//! Making acts. A draft goes through the same door as an act that arrives, so what is out of range is an error.

mod option;

use jiff::Timestamp;
use serde_json::Value;

use crate::issue::code;
use crate::{
    Act, ActId, Action, Ask, Body, Checked, Commit, Confirm, Custom, DocumentKind, EntityRef, Fact, Failure,
    Issue, Map, Rules, Source, Time, check,
};

/// An act that is being made.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft<B> {
    speaker: String,
    confidence: Option<f64>,
    source: Option<Source>,
    metadata: Option<Map>,
    body: B,
}

impl<B> Draft<B> {
    fn new(speaker: impl Into<String>, body: B) -> Self {
        Self { speaker: speaker.into(), confidence: None, source: None, metadata: None, body }
    }

    /// How sure the speaker is: 0 to 1.
    #[must_use]
    pub fn confidence(mut self, confidence: f64) -> Self {
        self.confidence = Some(confidence);
        self
    }

    /// Where the act comes from.
    #[must_use]
    pub fn source(mut self, source: Source) -> Self {
        self.source = Some(source);
        self
    }

    /// Adds a member to the metadata.
    #[must_use]
    pub fn meta(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.metadata.get_or_insert_default().insert(name.into(), value.into());
        self
    }

    /// Changes what the act says, for the members that have no word of their own here.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut B)) -> Self {
        change(&mut self.body);
        self
    }
}

impl<B: Into<Body>> Draft<B> {
    /// The act, or everything that is wrong with it.
    pub fn build(self, id: ActId, at: Timestamp, rules: &Rules) -> Result<Act, Vec<Issue>> {
        let confidence = match self.confidence {
            Some(confidence) if !confidence.is_finite() => return Err(vec![not_finite()]),
            Some(confidence) => serde_json::Number::from_f64(confidence),
            None => None,
        };
        let act = Act {
            id,
            timestamp: Time::from(at),
            speaker: self.speaker,
            confidence,
            source: self.source,
            metadata: self.metadata,
            body: self.body.into(),
            extra: Map::new(),
        };
        match check(DocumentKind::Act, act.to_value(), rules)?.value {
            Checked::Act(act) => Ok(*act),
            _ => Ok(act),
        }
    }
}

fn not_finite() -> Issue {
    Issue { pointer: "/confidence".into(), code: code::BOUND, message: "expected 0 to 1".into() }
}

/// Asks for a field.
pub fn ask(speaker: impl Into<String>, field: impl Into<String>, prompt: impl Into<String>) -> Draft<Ask> {
    Draft::new(speaker, Ask { field: field.into(), prompt: prompt.into(), ..Ask::default() })
}

/// Says what a field of an entity is.
pub fn fact(
    speaker: impl Into<String>,
    entity: impl Into<EntityRef>,
    field: impl Into<String>,
    value: impl Into<Value>,
) -> Draft<Fact> {
    let body = Fact {
        entity: entity.into(),
        field: field.into(),
        value: value.into(),
        operation: None,
        previous_value: None,
        validation_status: None,
        validation_errors: None,
    };
    Draft::new(speaker, body)
}

/// Asks for, or gives, a confirmation.
pub fn confirm(
    speaker: impl Into<String>,
    entity: impl Into<EntityRef>,
    summary: impl Into<String>,
) -> Draft<Confirm> {
    let body = Confirm {
        entity: entity.into(),
        summary: summary.into(),
        awaiting: None,
        confirmed: None,
        confirmation_method: None,
        fields_confirmed: None,
        rejection_reason: None,
        timeout_ms: None,
    };
    Draft::new(speaker, body)
}

/// Wants something done.
pub fn commit(speaker: impl Into<String>, entity: impl Into<EntityRef>, action: Action) -> Draft<Commit> {
    let body = Commit {
        entity: entity.into(),
        action,
        system: None,
        transaction_id: None,
        status: None,
        error: None,
        retry_count: None,
        max_retries: None,
        idempotency_key: None,
        rollback_info: None,
    };
    Draft::new(speaker, body)
}

/// Says that something went wrong.
pub fn error(
    speaker: impl Into<String>,
    code: impl Into<String>,
    message: impl Into<String>,
    recoverable: bool,
) -> Draft<Failure> {
    let body = Failure { code: code.into(), message: message.into(), recoverable, ..Failure::default() };
    Draft::new(speaker, body)
}

/// Says something this deployment has added.
pub fn custom(speaker: impl Into<String>, name: impl Into<String>, members: Map) -> Draft<Custom> {
    Draft::new(speaker, Custom { name: name.into(), members })
}

macro_rules! into_body {
    ($($name:ident => $variant:ident),+ $(,)?) => {$(
        impl From<$name> for Body {
            fn from(body: $name) -> Self {
                Body::$variant(body)
            }
        }
    )+};
}

into_body! { Ask => Ask, Fact => Fact, Confirm => Confirm, Commit => Commit, Failure => Error, Custom => Custom }

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{CommitError, ConfirmationMethod, Constraint, ExpectedType, Operation, Severity};

    fn build<B: Into<Body>>(draft: Draft<B>) -> Result<Value, Vec<String>> {
        let at: Timestamp = "2025-03-04T09:15:00Z".parse().unwrap();
        let built = draft.build(ActId::parse("act_1").unwrap(), at, &Rules::strict());
        built
            .map(|act| act.to_value())
            .map_err(|issues| issues.into_iter().map(|issue| issue.pointer).collect())
    }

    #[test]
    fn a_draft_says_only_what_was_said() {
        let act = build(fact("agent", "order_1", "size", "large").confidence(0.5).operation(Operation::Set));
        let expected = json!({
            "id": "act_1", "timestamp": "2025-03-04T09:15:00Z", "speaker": "agent", "type": "fact",
            "entity": "order_1", "field": "size", "value": "large", "operation": "set", "confidence": 0.5,
        });
        assert_eq!(act, Ok(expected));
    }

    #[test]
    fn what_is_out_of_range_is_an_error() {
        assert_eq!(build(ask("a", "f", "p").confidence(1.5)), Err(vec!["/confidence".to_owned()]));
        assert_eq!(build(ask("a", "f", "p").confidence(f64::NAN)), Err(vec!["/confidence".to_owned()]));
        assert_eq!(build(ask("", "f", "")), Err(vec!["/speaker".to_owned(), "/prompt".to_owned()]));
        let none = Constraint::one_of([]);
        assert_eq!(build(ask("a", "f", "p").constraint(none)), Err(vec!["/constraints/0/value".to_owned()]));
        let bad_language = confirm("a", "e", "s").meta("language", "English");
        assert_eq!(build(bad_language), Err(vec!["/metadata/language".to_owned()]));
        assert_eq!(build(custom("a", "visit", Map::new())), Err(vec!["/type".to_owned()]));
    }

    #[test]
    fn each_kind_can_be_made() {
        let failure = CommitError { code: "E".into(), message: "m".into(), ..CommitError::default() };
        let drafts = [
            build(
                ask("a", "f", "p").constraint(Constraint::email()).expecting(ExpectedType::Email).optional(),
            ),
            build(confirm("a", "e", "s").awaiting(Some(1000))),
            build(confirm("a", "e", "s").confirmed(ConfirmationMethod::Verbal)),
            build(commit("a", "e", Action::Create).system("crm").failed(failure).retry_count(1)),
            build(error("a", "E", "m", true).severity(Severity::Info).about(ActId::parse("act_0").unwrap())),
        ];
        drafts.into_iter().for_each(|act| assert!(act.is_ok(), "{act:?}"));
    }
}
