//! From YAML to a task: which verb it has, its name, its modifiers.

use std::sync::Arc;

use diag::{Node, Tree};
use expr::Ty;

use super::super::reader::Reader;
use super::super::{OnExhausted, Retry};
use super::{Block, Body, Each, Task, answer, branch, call, fault, plain, say, verify as look};

/// The verbs, in the order in which they are looked for.
pub(in super::super) const VERBS: [&str; 15] = [
    "require", "set", "call", "tell", "publish", "emit", "ask", "confirm", "wait", "listen", "run", "raise",
    "try", "switch", "fork",
];

/// Of a task that has none: its shape is wrong, which is said elsewhere. It is read for what else is wrong with it, and
/// for its name, which what follows may use.
const NONE: &str = "";

/// Whether a key is what a task does, and no name of a step.
pub(in super::super) fn is_verb(key: &str) -> bool {
    key == "do" || VERBS.contains(&key)
}

/// Reads tasks in sequence and says which can never be reached.
pub(in super::super) fn block(reader: &mut Reader<'_>, node: &Node) -> Block {
    let mut ended: Option<String> = None;
    let mut tasks: Vec<Arc<Task>> = Vec::new();
    for item in node.items() {
        if let Some(before) = &ended {
            let said = format!("this step is never reached: `{before}` always ends the run");
            reader.error("FLOW006", &item.span, said, "remove it, or give the step before it an `if`");
            ended = None;
        }
        let Some(task) = one(reader, item) else { continue };
        if matches!(task.body, Body::Raise { .. }) && task.when.is_none() {
            ended = Some(task.name.to_string());
        }
        tasks.push(Arc::new(task));
    }
    tasks.into()
}

fn one(reader: &mut Reader<'_>, item: &Node) -> Option<Task> {
    match verb(item) {
        Some(verb) => {
            let name = reader.numbered(verb);
            task(reader, &name, verb, item)
        }
        None => match item.entries() {
            [entry] if matches!(entry.value.tree, Tree::Map(_)) => {
                reader.take(&entry.key, &entry.key_span);
                task(reader, &entry.key, verb(&entry.value).unwrap_or(NONE), &entry.value)
            }
            misshapen => {
                misshapen.iter().for_each(|entry| reader.learn(&entry.key, Ty::Any));
                let name = reader.numbered("step");
                task(reader, &name, NONE, item)
            }
        },
    }
}

fn verb(node: &Node) -> Option<&'static str> {
    VERBS.into_iter().chain(["do"]).find(|verb| node.get(verb).is_some())
}

fn task(reader: &mut Reader<'_>, name: &str, verb: &'static str, node: &Node) -> Option<Task> {
    let when = node.get("if").and_then(|node| reader.condition(node));
    let each = node.get("for").and_then(|each| loop_of(reader, each));
    let (body, compensate, verify, expect, ty) = match &each {
        Some(each) => reader.within(&each.name.clone(), Ty::Any, |reader| inner(reader, verb, node)),
        None => inner(reader, verb, node),
    };
    let ty = if each.is_some() { Ty::list(ty) } else { ty };
    reader.learn(name, ty);
    Some(Task {
        name: name.into(),
        verb,
        when,
        each,
        body: body?,
        compensate,
        kept: node.get("compensate").and_then(Node::text) == Some("none"),
        verify,
        expect,
        retry: node.get("retry").map_or(Retry::STEP, |retry| Retry::read(retry, &Retry::STEP)),
        timeout: node.get("timeout").and_then(Node::duration),
        on_exhausted: node.get("on_exhausted").and_then(OnExhausted::read),
        skips_dead: node.get("on_dead").and_then(Node::text) == Some("skip"),
    })
}

type Inner = (Option<Body>, Option<super::Compensate>, Option<super::Verify>, Option<expr::Program>, Ty);

fn inner(reader: &mut Reader<'_>, verb: &'static str, node: &Node) -> Inner {
    let body = body(reader, verb, node);
    let ty = body.as_ref().map_or(Ty::Any, |body| output(reader, body));
    let compensate = call::compensate(reader, node, body.as_ref(), &ty);
    let verify = look::verify(reader, node, body.as_ref());
    let expect = look::expect(reader, node, verify.as_ref());
    (body, compensate, verify, expect, ty)
}

fn loop_of(reader: &mut Reader<'_>, node: &Node) -> Option<Each> {
    let name = node.get("each").and_then(Node::text).unwrap_or("item");
    let list = node.get("in")?;
    let over = reader.mapping(list)?;
    if !matches!(over.ty(), Ty::List(_) | Ty::Any | Ty::Null) {
        let help = match (over.is_literal(), list.text()) {
            (true, Some(text)) => format!("write `${{ {text} }}`"),
            _ => "give it a list".to_owned(),
        };
        let said = format!("`for` goes over a list, not over {}", over.ty().word());
        reader.error("FLOW015", &list.span, said, help);
    }
    Some(Each { name: name.into(), over })
}

fn body(reader: &mut Reader<'_>, verb: &str, node: &Node) -> Option<Body> {
    match verb {
        "require" => plain::require(node),
        "set" => plain::set(reader, node),
        "raise" => plain::raise(reader, node),
        "wait" => plain::wait(reader, node),
        "run" => plain::run(reader, node),
        "call" => call::call(reader, node, "call").map(Body::Call),
        "tell" => call::call(reader, node, "tell").map(Body::Tell),
        "publish" => plain::publish(reader, node),
        "emit" => say::emit(reader, node),
        "ask" => say::ask(reader, node),
        "confirm" => say::confirm(reader, node),
        "listen" => answer::listen(reader, node),
        "try" => fault::attempt(reader, node),
        "switch" => branch::switch(reader, node),
        "fork" => branch::fork(reader, node),
        "do" => branch::sequence(reader, node),
        _ => {
            let _unused = node.get("with").and_then(|with| reader.mapping(with));
            None
        }
    }
}

fn output(reader: &Reader<'_>, body: &Body) -> Ty {
    match body {
        Body::Call(call) => match reader.known.operation(&call.system, &call.operation) {
            Some(operation) => operation.output.clone(),
            None => Ty::Any,
        },
        _ => Ty::Any,
    }
}
