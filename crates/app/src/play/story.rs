//! The script: who takes part, what the simulated systems are told first, and the acts in order.

use std::path::Path;

use diag::{Colour, Diagnostic, Field, Node, Shape, Source};
use serde_json::{Value, json};
use store::RunStatus;

/// A scripted conversation.
#[derive(Debug)]
pub struct Story {
    /// What it tells, in one line.
    pub title: String,
    /// The conversation's id.
    pub conversation: String,
    /// Who takes part.
    pub participants: Value,
    /// What the simulated systems are told before it begins: `(system, behaviour)`.
    pub before: Vec<(String, Value)>,
    /// The status in which its runs should end.
    pub ends: String,
    /// The acts; ids and timestamps are given when they are sent.
    pub acts: Vec<Value>,
}

impl Story {
    /// Reads a story.
    ///
    /// # Errors
    /// Everything that is wrong with it, rendered with its places.
    pub fn read(path: &Path) -> Result<Self, String> {
        let text =
            std::fs::read_to_string(path).map_err(|error| format!("reading {}: {error}", path.display()))?;
        let file = path.display().to_string();
        let parsed = diag::parse(&file, &text).and_then(|node| {
            let wrong = shape().check(&node);
            if wrong.is_empty() { Ok(Self::from_node(&node)) } else { Err(wrong) }
        });
        parsed.map_err(|wrong: Vec<Diagnostic>| {
            let source = Source { file: file.as_str().into(), text: text.as_str().into() };
            diag::render(&wrong, &[source], Colour::Plain)
        })
    }

    fn from_node(node: &Node) -> Self {
        let text = |key: &str| node.get(key).and_then(Node::text).unwrap_or_default().to_owned();
        let items = |key: &str| node.get(key).map(Node::items).unwrap_or_default();
        let order = |item: &Node| {
            let system = item.get("system").and_then(Node::text).unwrap_or_default().to_owned();
            (system, item.get("behave").map_or(Value::Null, Node::to_json))
        };
        Self {
            title: text("title"),
            conversation: text("conversation"),
            participants: node.get("participants").map_or(json!([]), Node::to_json),
            ends: node.get("ends").and_then(Node::text).unwrap_or(RunStatus::Succeeded.as_str()).to_owned(),
            before: items("before").iter().map(order).collect(),
            acts: items("acts").iter().map(Node::to_json).collect(),
        }
    }
}

fn shape() -> Shape {
    let order = Shape::object([
        Field::new("system", Shape::text()).required().doc("the simulated system"),
        Field::new("behave", Shape::any()).required().doc("what it is told, as `POST /_sim/{system}/behave`"),
    ]);
    let ends = RunStatus::ALL.iter().map(|status| status.as_str());
    Shape::object([
        Field::new("title", Shape::text()).required().doc("what the story tells"),
        Field::new("conversation", Shape::text()).required().doc("the conversation's id"),
        Field::new("ends", Shape::choice(ends)).doc("how its runs should end; `succeeded` unless said"),
        Field::new("before", Shape::list(order)).doc("what the simulated systems are told first"),
        Field::new("participants", Shape::list(Shape::any())).required().doc("who takes part"),
        Field::new("acts", Shape::list(Shape::any())).required().doc("the acts, without id and timestamp"),
    ])
}
