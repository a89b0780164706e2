//! `call`, `tell`, `compensate` and `verify`: an operation of a system and its input.

use std::time::Duration;

use diag::{Node, Tree};
use expr::Ty;
use port::Repeat;

use super::super::Retry;
use super::super::known::normal;
use super::super::reader::Reader;
use super::{Body, Call, Compensate, Verify};

/// How long one undoing may take when nobody says.
const UNDO_TIMEOUT: Duration = Duration::from_secs(60);

pub(super) fn call(reader: &mut Reader<'_>, node: &Node, verb: &str) -> Option<Call> {
    let target = node.get(verb)?;
    let text = target.text()?;
    let with = node.get("with").and_then(|with| reader.mapping(with));
    let Some((system, operation)) = text.split_once('.') else {
        let said = format!("`{text}` names no operation");
        reader.error("FLOW004", &target.span, said, "write `system.operation`");
        return None;
    };
    let repeat = known(reader, target, system, operation).unwrap_or(Repeat::Never);
    Some(Call { system: system.into(), operation: operation.into(), with, repeat })
}

fn known(reader: &mut Reader<'_>, target: &Node, system: &str, operation: &str) -> Option<Repeat> {
    let known = reader.known;
    let Some(operations) = known.system(system) else {
        reader.unknown("FLOW004", &target.span, "system", system, known.systems.keys().map(String::as_str));
        return None;
    };
    let Some(found) = operations.get(operation) else {
        let what = format!("operation of `{system}`:");
        reader.unknown("FLOW004", &target.span, &what, operation, operations.keys().map(String::as_str));
        return None;
    };
    Some(found.repeat)
}

/// How the task is undone. A `never` operation without it deserves a warning.
pub(super) fn compensate(
    reader: &mut Reader<'_>,
    node: &Node,
    body: Option<&Body>,
    ty: &Ty,
) -> Option<Compensate> {
    let Some(undo) = node.get("compensate") else {
        warn_if_final(reader, node, body);
        return None;
    };
    if matches!(&undo.tree, Tree::Text(_)) {
        return None; // `compensate: none` says that there is nothing to undo
    }
    reader.within("result", ty.clone(), |reader| {
        reader.within("error", Ty::Any, |reader| {
            let call = call(reader, undo, "call")?;
            if let Some(done) = of_group(reader, body, &call).filter(|done| done.operation != call.operation)
            {
                elsewhere(reader, undo, &format!("undo `{}.{}`", done.system, done.operation));
            }
            let retry = undo
                .get("retry")
                .map_or(Retry::COMPENSATION, |retry| Retry::read(retry, &Retry::COMPENSATION));
            let timeout = undo.get("timeout").and_then(Node::duration).or(Some(UNDO_TIMEOUT));
            Some(Compensate { call, retry, timeout })
        })
    })
}

fn warn_if_final(reader: &mut Reader<'_>, node: &Node, body: Option<&Body>) {
    let (Some(Body::Call(call)), Some(target)) = (body, node.get("call")) else { return };
    let known = reader.known.operation(&call.system, &call.operation);
    if let Some(known) = known
        && known.repeat == Repeat::Never
    {
        let name = format!("{}.{}", call.system, call.operation);
        let help = match &known.undo {
            Some(undo) => {
                format!("add `compensate: {{ call: {}.{undo} }}`, or `compensate: none`", call.system)
            }
            None => {
                "add `compensate: { call: … }`, or `compensate: none` when nothing needs undoing".to_owned()
            }
        };
        let said = format!("`{name}` must never be repeated, and nothing says how to undo it");
        reader.warn("FLOW008", &target.span, said, help);
    }
}

/// The step's own call, when it and `other` go through the same group.
fn of_group<'b>(reader: &Reader<'_>, body: Option<&'b Body>, other: &Call) -> Option<&'b Call> {
    let Some(Body::Call(done) | Body::Tell(done)) = body else { return None };
    let same = normal(&done.system) == normal(&other.system) && reader.known.is_group(&other.system);
    same.then_some(done)
}

/// Nobody knows which member of a group acted.
fn elsewhere(reader: &mut Reader<'_>, node: &Node, what: &str) {
    let target = node.get("call").map_or(&node.span, |target| &target.span);
    let said =
        format!("this may ask another member of the group than the one that acted, so it cannot {what}");
    reader.error("FLOW013", target, said, "call one system instead of a group, or leave it to a person");
}

pub(super) fn verify(reader: &mut Reader<'_>, node: &Node, body: Option<&Body>) -> Option<Verify> {
    let verify = node.get("verify")?;
    let call = call(reader, verify, "call")?;
    if let Some(done) = of_group(reader, body, &call) {
        elsewhere(reader, verify, &format!("verify `{}.{}`", done.system, done.operation));
    }
    if call.repeat != Repeat::Safe {
        let said = format!("`{}.{}` changes something, so it cannot verify", call.system, call.operation);
        reader.error("FLOW009", &verify.span, said, "verify with an operation whose repeat is `safe`");
    }
    reader.within("result", Ty::Any, |reader| {
        let found = verify.get("found").and_then(|found| reader.condition(found));
        let output = verify.get("output").and_then(|output| reader.mapping(output));
        Some(Verify { call, found, output })
    })
}
