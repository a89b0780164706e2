//! Tasks that need nothing but their input: `require`, `set`, `raise`, `wait`, `run`, `publish`.

use diag::{Node, units};

use super::super::circles::{Start, Starts};
use super::super::reader::Reader;
use super::{Body, Pause};

pub(super) fn require(node: &Node) -> Option<Body> {
    Some(Body::Require(node.get("require")?.texts().map(str::to_owned).collect()))
}

pub(super) fn set(reader: &mut Reader<'_>, node: &Node) -> Option<Body> {
    reader.mapping(node.get("set")?).map(Body::Set)
}

pub(super) fn raise(reader: &mut Reader<'_>, node: &Node) -> Option<Body> {
    let raise = node.get("raise")?;
    let code = reader.mapping(raise.get("code")?)?;
    let message = reader.mapping(raise.get("message")?)?;
    Some(Body::Raise { code, message })
}

pub(super) fn wait(reader: &mut Reader<'_>, node: &Node) -> Option<Body> {
    let wait = node.get("wait")?;
    if let Some(until) = wait.get("until") {
        return reader.mapping(until).map(|until| Body::Wait(Pause::Until(until)));
    }
    let mapping = reader.mapping(wait)?;
    if let (true, Some(text)) = (mapping.is_literal(), wait.text())
        && let Err(why) = units::duration(text)
    {
        reader.error(
            "FLOW011",
            &wait.span,
            format!("`{text}` is not a length of time: {why}"),
            "write `5s`, `2m` or `1h30m`",
        );
    }
    Some(Body::Wait(Pause::For(mapping)))
}

pub(super) fn run(reader: &mut Reader<'_>, node: &Node) -> Option<Body> {
    let flow = node.get("run")?;
    let name = flow.text()?;
    if !reader.known.flows.contains(name) {
        let known = reader.known;
        reader.unknown("FLOW005", &flow.span, "flow", name, known.flows.iter().map(String::as_str));
    }
    let what = Starts::Flow(name.to_owned());
    reader.starts.push(Start { what, span: flow.span.clone() });
    let with = node.get("with").and_then(|with| reader.mapping(with));
    Some(Body::Run { flow: name.into(), with })
}

pub(super) fn publish(reader: &mut Reader<'_>, node: &Node) -> Option<Body> {
    let topic = topic(reader, node.get("publish")?)?;
    let with = node.get("with").and_then(|with| reader.mapping(with));
    Some(Body::Publish { topic, with })
}

/// A topic's name; when topics are declared, one of them.
pub(super) fn topic(reader: &mut Reader<'_>, node: &Node) -> Option<std::sync::Arc<str>> {
    let name = node.text()?;
    let known = &reader.known.topics;
    if !known.is_empty() && !known.contains(name) {
        reader.unknown("FLOW007", &node.span, "topic", name, known.iter().map(String::as_str));
    }
    Some(name.into())
}
