//! `call`, `tell`, `compensate` and `verify`: an operation of a system and its input.

use std::time::Duration;

use diag::{Node, Tree};
use expr::{Mapping, Ty};
use port::Repeat;

use super::super::Retry;
use super::super::reader::Reader;
use super::{Body, Call, Compensate, Members, members};

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
    let found = known(reader, target, system, operation);
    let (repeat, known) = (found.unwrap_or(Repeat::Never), found.is_some());
    judge_input(reader, node, target, (system, operation), with.as_ref());
    let members = Members::of(reader.known, system, operation);
    let declared = reader.known.operation(system, operation);
    let settles = declared.map_or(port::SETTLES_WITHIN, |known| known.settles_within);
    let in_progress = declared.map_or(port::IN_PROGRESS_UNTIL, |known| known.in_progress_until);
    let keyed_as = declared.map_or_else(|| "".into(), |known| known.keyed_as.clone());
    let (system, operation) = (system.into(), operation.into());
    Some(Call { system, operation, with, repeat, known, keyed_as, members, settles, in_progress })
}

fn known(reader: &mut Reader<'_>, target: &Node, system: &str, operation: &str) -> Option<Repeat> {
    let known = reader.known;
    let Some(operations) = known.system(system) else {
        reader.unknown("FLOW004", &target.span, "system", system, known.systems.keys().map(String::as_str));
        return None;
    };
    let Some(found) = operations.get(operation) else {
        if members::is_missing_at_some(reader, &target.span, system, operation) {
            return None;
        }
        let what = format!("operation of `{system}`:");
        reader.unknown("FLOW004", &target.span, &what, operation, operations.keys().map(String::as_str));
        return None;
    };
    Some(found.repeat)
}

/// A member that the operation lacks, or has no place for, would be found out only when the call is made.
fn judge_input(
    reader: &mut Reader<'_>,
    node: &Node,
    target: &Node,
    (system, operation): (&str, &str),
    with: Option<&Mapping>,
) {
    let Some(known) = reader.known.operation(system, operation) else { return };
    let name = format!("{system}.{operation}");
    let found = match (node.get("with"), with) {
        (Some(node), Some(with)) => known.input.judge(&name, node, with),
        (None, _) => known.input.judge_nothing(&name, &target.span),
        (Some(_), None) => return,
    };
    reader.found.extend(found);
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
            members::check_undo(reader, undo, body, &call);
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
        if known.undo.is_some() {
            return; // whoever reads the undo of its operation says so
        }
        let name = format!("{}.{}", call.system, call.operation);
        let help = "add `compensate: { call: … }`, or `compensate: none` when nothing needs undoing";
        let said = format!("`{name}` must never be repeated, and nothing says how to undo it");
        reader.warn("FLOW008", &target.span, said, help);
    }
}
