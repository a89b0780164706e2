//! Documents in, typed values or everything that is wrong out.

use serde_json::Value;

use crate::issue::{At, Findings};
use crate::json::{MAX_DEPTH, parse_json, too_deep};
use crate::{
    Act, Constraint, Conversation, Entity, Issue, Mended, Participant, Rules, read, vocabulary::Word as _,
    warn,
};

/// A document that was taken, with what is worth knowing about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Accepted<T> {
    /// The document.
    pub value: T,
    /// What is odd about it, and no reason to refuse it.
    pub warnings: Vec<Issue>,
    /// What compat mode mended.
    pub mended: Mended,
}

/// A typed document.
#[derive(Clone, Debug, PartialEq)]
pub enum Checked {
    /// An act.
    Act(Box<Act>),
    /// A conversation.
    Conversation(Box<Conversation>),
    /// A constraint.
    Constraint(Constraint),
    /// An entity.
    Entity(Box<Entity>),
    /// A participant.
    Participant(Box<Participant>),
}

crate::vocabulary! {
    /// What kind of document is to be checked.
    DocumentKind {
        Act = "act", Conversation = "conversation", Constraint = "constraint", Entity = "entity",
        Participant = "participant",
    }
}

/// Reads and checks one act. Its size is the caller's to bound; its depth is bounded here.
///
/// Every issue of the first layer that fails is told: syntax, then shape, then meaning.
pub fn parse_act(bytes: &[u8], rules: &Rules) -> Result<Accepted<Act>, Vec<Issue>> {
    let value = parse_json(bytes).map_err(|issue| vec![issue])?;
    let act = judged(|findings| read::act(value, At::ROOT, rules, findings))?;
    Ok(act.warned(warn::act))
}

/// Checks one document that was read elsewhere.
pub fn check(kind: DocumentKind, value: Value, rules: &Rules) -> Result<Accepted<Checked>, Vec<Issue>> {
    if let Some(issue) = too_deep(&value, MAX_DEPTH) {
        return Err(vec![issue]);
    }
    check_shallow(kind, value, rules)
}

/// Checks one document whose depth is known to be bounded.
pub(crate) fn check_shallow(
    kind: DocumentKind,
    value: Value,
    rules: &Rules,
) -> Result<Accepted<Checked>, Vec<Issue>> {
    let at = At::ROOT;
    Ok(match kind {
        DocumentKind::Act => judged(|found| read::act(value, at, rules, found))?
            .warned(warn::act)
            .map(|act| Checked::Act(Box::new(act))),
        DocumentKind::Conversation => judged(|found| read::conversation(value, at, rules, found))?
            .warned(|conversation| warn::conversation(conversation, rules))
            .map(|conversation| Checked::Conversation(Box::new(conversation))),
        DocumentKind::Constraint => {
            judged(|found| read::constraint(value, at, rules, found))?.map(Checked::Constraint)
        }
        DocumentKind::Entity => judged(|found| read::entity(value, at, rules, found))?
            .map(|entity| Checked::Entity(Box::new(entity))),
        DocumentKind::Participant => judged(|found| read::participant(value, at, rules, found))?
            .map(|participant| Checked::Participant(Box::new(participant))),
    })
}

/// Runs a reader and turns what it found into the answer.
fn judged<T>(read: impl FnOnce(&mut Findings) -> Option<T>) -> Result<Accepted<T>, Vec<Issue>> {
    let mut findings = Findings::default();
    let value = read(&mut findings);
    let mended = findings.mended;
    let issues = findings.into_issues();
    match value {
        Some(value) if issues.is_empty() => Ok(Accepted { value, warnings: Vec::new(), mended }),
        _ => Err(issues),
    }
}

impl<T> Accepted<T> {
    fn map<U>(self, change: impl FnOnce(T) -> U) -> Accepted<U> {
        Accepted { value: change(self.value), warnings: self.warnings, mended: self.mended }
    }

    fn warned(mut self, look: impl FnOnce(&T) -> Vec<Issue>) -> Self {
        self.warnings = look(&self.value);
        self
    }
}

impl DocumentKind {
    /// Whether a value is a sound document of this kind under strict rules.
    pub fn accepts(self, value: &Value) -> bool {
        check(self, value.clone(), &Rules::strict()).is_ok()
    }

    /// Every kind's name, for messages.
    pub(crate) fn names() -> String {
        Self::ALL.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(", ")
    }
}
