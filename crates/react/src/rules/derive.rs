//! What is published beside an act.

use diag::{Diagnostic, Field, Node, Shape};
use expr::{Mapping, Names, Program, Scope, Ty};

use crate::{Complaint, Published};

/// Publishes something when an act of one of its types comes, and its condition holds.
#[derive(Clone, Debug)]
pub struct DeriveRule {
    /// The types of act; empty means every type.
    on: Vec<String>,
    when: Option<Program>,
    topic: Mapping,
    payload: Mapping,
}

/// What a reader of configuration accepts as one item of `derive:`.
pub fn derive_shape() -> Shape {
    let word = || Shape::text().pattern("^[a-z][a-z0-9_.]*$", "the type of an act");
    Shape::object([
        Field::new("on", Shape::one_of([word(), Shape::list(word())]))
            .doc("types of act; every type without"),
        Field::new("when", Shape::text()).doc("an expression over `act`, `entity` and `conversation`"),
        Field::new("topic", Shape::text()).required().doc("where it is published"),
        Field::new("payload", Shape::any()).required().doc("what is published"),
    ])
}

impl DeriveRule {
    /// Compiles one item of `derive:`. Every mistake is told.
    pub fn compile(node: &Node) -> Result<Self, Vec<Diagnostic>> {
        let mut found = derive_shape().check(node);
        let (Some(topic), Some(payload)) = (node.get("topic"), node.get("payload")) else {
            return Err(found);
        };
        let conversation = Ty::closed([("id", Ty::Text), ("status", Ty::Text), ("version", Ty::Int)]);
        let names =
            Names::new().root("act", Ty::Any).root("entity", Ty::Any).root("conversation", conversation);
        let when = node.get("when").and_then(|node| Some((node, node.text()?)));
        let when = when.map(|(node, text)| Program::condition(text, &node.span, &names)).transpose();
        let when = when.map_err(|mistakes| found.extend(mistakes));
        let topic = Mapping::compile(topic, &names).map_err(|mistakes| found.extend(mistakes));
        let payload = Mapping::compile(payload, &names).map_err(|mistakes| found.extend(mistakes));
        match (when, topic, payload) {
            (Ok(when), Ok(topic), Ok(payload)) if found.is_empty() => {
                Ok(Self { on: types(node), when, topic, payload })
            }
            _ => Err(found),
        }
    }

    /// Whether acts of this type concern it.
    pub(crate) fn concerns(&self, type_: &str) -> bool {
        self.on.is_empty() || self.on.iter().any(|name| name == type_)
    }

    /// What it publishes now, if anything.
    pub(crate) fn derive(&self, scope: &Scope<'_>) -> Result<Option<Published>, Complaint> {
        let failed = |error: expr::Error| Complaint::new(error.code, error.to_string());
        if let Some(when) = &self.when
            && !when.test(scope).map_err(failed)?
        {
            return Ok(None);
        }
        let topic = self.topic.eval(scope).map_err(failed)?;
        let Some(topic) = topic.as_str().filter(|topic| !topic.is_empty()) else {
            return Err(Complaint::new("derive.topic", "expected a topic that is text"));
        };
        let payload = self.payload.eval(scope).map_err(failed)?;
        Ok(Some(Published { topic: topic.to_owned(), payload }))
    }
}

fn types(node: &Node) -> Vec<String> {
    let Some(on) = node.get("on") else { return Vec::new() };
    match on.text() {
        Some(one) => vec![one.to_owned()],
        None => on.items().iter().filter_map(Node::text).map(str::to_owned).collect(),
    }
}
