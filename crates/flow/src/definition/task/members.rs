//! Groups: which of their members could act for a call, and what cannot be done through a group.

use std::collections::BTreeMap;
use std::sync::Arc;

use diag::{Node, Span};
use port::{Repeat, normalised};

use super::super::known::Known;
use super::super::reader::Reader;
use super::{Body, Call};

/// The members of the group that a call goes through, by normalised name, each with how safe a repeat is there. Empty
/// for a plain system.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Members(Arc<BTreeMap<String, Repeat>>);

impl Members {
    pub(super) fn of(known: &Known, system: &str, operation: &str) -> Self {
        let repeat =
            |member: &String| known.operation(member, operation).map_or(Repeat::Never, |at| at.repeat);
        Self(Arc::new(
            known.members(system).iter().map(|member| (normalised(member), repeat(member))).collect(),
        ))
    }

    /// Whether one call may reach another system than the one before.
    pub(crate) fn are_several(&self) -> bool {
        self.0.len() > 1
    }

    /// How safe a repeat is at that member. One that is no member any more is asked for nothing twice.
    pub(crate) fn repeat_at(&self, member: &str) -> Repeat {
        self.0.get(&normalised(member)).copied().unwrap_or(Repeat::Never)
    }
}

impl Call {
    /// Whether both go through the same system.
    pub(crate) fn shares_system(&self, other: &Call) -> bool {
        normalised(&self.system) == normalised(&other.system)
    }
}

/// Whether it is said that not every member of a group has the operation.
pub(super) fn is_missing_at_some(
    reader: &mut Reader<'_>,
    target: &Span,
    system: &str,
    operation: &str,
) -> bool {
    let known = reader.known;
    let (with, without): (Vec<&str>, Vec<&str>) = known
        .members(system)
        .iter()
        .map(String::as_str)
        .partition(|member| known.operation(member, operation).is_some());
    if with.is_empty() || without.is_empty() {
        return false;
    }
    let said = format!("`{}` of the group `{system}` has no operation `{operation}`", without.join("`, `"));
    let help = "a group can do what every member can; add it there, or call the member that has it";
    reader.error("FLOW013", target, said, help);
    true
}

/// Says why a step that went through a group cannot be undone through the same group, if it cannot. Doing the same
/// again is no undoing.
pub(super) fn check_undo(reader: &mut Reader<'_>, undo: &Node, body: Option<&Body>, call: &Call) {
    let Some(done) = body.and_then(Body::call).filter(|done| done.shares_system(call)) else { return };
    if !call.members.are_several() || done.operation == call.operation {
        return;
    }
    let known = reader.known.operation(&done.system, &done.operation);
    let declared = known.and_then(|known| known.undo.as_deref()) == Some(&*call.operation);
    let named = format!("`{}.{}`", done.system, done.operation);
    let (said, help) = match body {
        Some(Body::Tell(_)) => (
            format!("nobody hears which member of the group took {named}, so none can be told to undo it"),
            "`call` it instead of `tell`, or tell one system instead of a group".to_owned(),
        ),
        _ if done.repeat == Repeat::Safe && !declared => (
            format!(
                "{named} is `safe`, so more than one member of the group may act, and this undoes it at one"
            ),
            format!(
                "give `{}` the `undo: {}` at every member: then only one acts",
                done.operation, call.operation
            ),
        ),
        _ => return,
    };
    let target = undo.get("call").map_or(&undo.span, |target| &target.span);
    reader.error("FLOW013", target, said, help);
}
