//! Tasks that speak into the conversation: `emit`, `ask`, `confirm`.

use diag::Node;

use super::super::circles;
use super::super::reader::Reader;
use super::{Body, OnTimeout, Utterance};

pub(super) fn emit(reader: &mut Reader<'_>, node: &Node) -> Option<Body> {
    let act = node.get("emit")?;
    if let Some(what) = circles::commit(act) {
        reader.starts.push(circles::Start { what, span: act.span.clone() });
    }
    reader.mapping(act).map(Body::Emit)
}

pub(super) fn ask(reader: &mut Reader<'_>, node: &Node) -> Option<Body> {
    utterance(reader, node, node.get("ask")?, "prompt").map(Body::Ask)
}

pub(super) fn confirm(reader: &mut Reader<'_>, node: &Node) -> Option<Body> {
    utterance(reader, node, node.get("confirm")?, "summary").map(Body::Confirm)
}

fn utterance(reader: &mut Reader<'_>, task: &Node, node: &Node, text: &str) -> Option<Utterance> {
    let mut read = |key: &str| node.get(key).and_then(|node| reader.mapping(node));
    let (entity, field, more) = (read("entity"), read("field"), read("with"));
    let (shows, text) = (read("shows"), read(text)?);
    let by = node.get("by").or_else(|| task.get("by")).and_then(|by| reader.mapping(by));
    Some(Utterance { entity, field, text, more, shows, by, on_timeout: on_timeout(task) })
}

/// Whether missing the answer fails the run (`on_timeout: fail`, the default) or lets it go on with `null`.
pub(super) fn gives_up(task: &Node) -> bool {
    on_timeout(task) != OnTimeout::Continue
}

fn on_timeout(task: &Node) -> OnTimeout {
    match task.get("on_timeout").and_then(Node::text) {
        Some("continue") => OnTimeout::Continue,
        Some("confirm") => OnTimeout::Confirm,
        _ => OnTimeout::Fail,
    }
}
