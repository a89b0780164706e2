//! From a YAML node to a definition, with every mistake that is in it.

use std::sync::Arc;

use diag::{Diagnostic, Node, Severity};
use expr::Mapping;
use port::normalised;
use serde_json::Value;
use xxhash_rust::xxh3::xxh3_128;

use super::reader::Reader;
use super::task::block;
use super::{Busy, Definition, Known, OnExhausted, OnFault, Trigger, shape, undo};
use crate::templates;

/// Compiles one flow, written at `node`. No definition comes back when a mistake is an error; warnings may come
/// with one.
pub fn compile(name: &str, node: &Node, known: &Known) -> (Option<Definition>, Vec<Diagnostic>) {
    let mut found = shape::checker().check(node);
    let node = match templates::resolve(node) {
        Ok(node) => node,
        Err(unknown) => return (None, [found, vec![*unknown]].concat()),
    };
    let (node, undone) = undo::with_defaults(node, known);
    let (definition, mut more) = build(name, &node, known);
    more.extend(undone);
    if found.iter().any(is_error) {
        more.retain(|more| is_sure(more, &found));
    }
    found.append(&mut more);
    let definition = definition.filter(|_| !found.iter().any(is_error));
    (definition, found)
}

/// Compiles what the store kept. What has gone missing since (a system, an operation) fails when it is called, not
/// here, so that a run whose next steps are all right can end.
pub(crate) fn revive(name: &str, source: &[u8], known: &Known) -> Option<Definition> {
    let value: Value = serde_json::from_slice(source).ok()?;
    build(name, &Node::from_json(&value), known).0
}

fn build(name: &str, node: &Node, known: &Known) -> (Option<Definition>, Vec<Diagnostic>) {
    let mut reader = Reader::new(known, node);
    let source = node.to_json();
    let (line, space) = key(&mut reader, node.get("key"));
    let (once, once_space) = key(&mut reader, node.get("once"));
    let tasks = node.get("do").map(|tasks| block(&mut reader, tasks));
    let result = node.get("result").and_then(|result| reader.mapping(result));
    let definition = tasks.map(|tasks| Definition {
        name: name.into(),
        hash: hash(name, &source),
        on: node.get("on").and_then(trigger),
        sla: node.get("sla").and_then(Node::duration),
        source: Arc::new(source),
        key: line,
        space,
        once,
        once_space,
        busy: node.get("busy").and_then(Busy::read).unwrap_or_default(),
        result,
        on_exhausted: node.get("on_exhausted").and_then(OnExhausted::read).unwrap_or_default(),
        on_fault: node.get("on_fault").and_then(OnFault::read).unwrap_or_default(),
        recursion: node.at("/recursion/depth").and_then(Node::u64).and_then(|depth| depth.try_into().ok()),
        starts: std::mem::take(&mut reader.starts),
        tasks,
    });
    (definition, reader.found)
}

/// A key, and the key space when flows share it.
fn key(reader: &mut Reader<'_>, written: Option<&Node>) -> (Option<Mapping>, Option<Arc<str>>) {
    let Some(written) = written else { return (None, None) };
    let space = written.get("in").and_then(Node::text);
    (reader.mapping(written.get("of").unwrap_or(written)), space.map(Into::into))
}

fn trigger(node: &Node) -> Option<Trigger> {
    let commit = node.get("commit")?;
    let text = |key: &str| commit.get(key).and_then(Node::text);
    Some(Trigger::Commit {
        system: text("system").map(normalised),
        action: text("action").map(str::to_owned),
    })
}

/// Maps are sorted by key in JSON values, so equal content has an equal hash however it was laid out.
fn hash(name: &str, source: &Value) -> Arc<str> {
    format!("{:032x}", xxh3_128(format!("{name}\n{source}").as_bytes())).into()
}

/// Whether a mistake is one whatever the shape should have been, and is said once.
fn is_sure(more: &Diagnostic, shape: &[Diagnostic]) -> bool {
    !MISSING.contains(&more.code) && !shape.iter().any(|found| found.span == more.span)
}

/// Mistakes that are something missing: an `if`, a `when`, a `compensate`, a `with`. It may be there, misspelt.
const MISSING: [&str; 5] = ["FLOW006", "FLOW008", "FLOW010", "FLOW014", "FLOW016"];

fn is_error(found: &Diagnostic) -> bool {
    found.severity == Severity::Error
}
