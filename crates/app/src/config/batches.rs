//! `guard.operations.<name>.batch`: single calls that are collected and sent many at a time.

use std::collections::BTreeMap;
use std::sync::Arc;

use diag::{Diagnostic, Entry, Field, Node, Shape, Span, units};
use guard::Batch;
use guard::batch::Collect;
use port::{Operation, Repeat, Spec};

use super::code;
use super::judge::{Judge, unknown};

const KEY: &str = "batch";

pub(super) fn field() -> Field {
    let usual = Batch::default();
    let batch = Shape::object([
        Field::new("into", Shape::text()).required().doc("the operation of this system that takes many"),
        Field::new("items", Shape::text())
            .required()
            .doc("the member of its input that takes the single inputs, in order"),
        Field::new("results", Shape::text()).doc(
            "the member of its output that holds one result per item, in order; without it the output itself",
        ),
        Field::new("keys", Shape::text()).doc(
            "the member of each item that takes its idempotency key; needed where the repeat is `keyed`",
        ),
        Field::new("size", Shape::int(1..=10_000))
            .default(usual.size.get())
            .doc("sent when so many are there"),
        Field::new("timeout", Shape::duration())
            .default(units::show_duration(usual.timeout))
            .doc("sent when the first has waited so long"),
        Field::new("in_flight", Shape::int(1..=1_000))
            .default(usual.in_flight.get())
            .doc("batches out at once, per tenant; more than one may overtake each other"),
    ]);
    Field::new(KEY, batch).doc("collect calls of this operation, per tenant, and send them as one of another")
}

/// Reads which operations of the system are collected, and how.
pub(super) fn read(judge: &mut Judge<'_>, guard: &Node, spec: &Spec) -> BTreeMap<Arc<str>, Collect> {
    let mut batches = BTreeMap::new();
    for entry in guard.get("operations").map_or(&[][..], Node::entries) {
        let written = entry.value.entries().iter().find(|own| own.key == KEY);
        let (Some(batch), Some(operation)) = (written, spec.operation(&entry.key)) else { continue };
        let Some(collect) = collect(&batch.value) else { continue };
        let sound = [
            is_alone(judge, entry, &collect),
            is_sent(judge, guard, spec, batch, operation),
            is_repeatable(judge, &batch.key_span, operation, &collect),
        ];
        if sound == [true; 3] {
            batches.insert(Arc::clone(&operation.name), collect);
        }
    }
    batches
}

/// `None` when the shape has said why.
fn collect(node: &Node) -> Option<Collect> {
    let text = |key: &str| node.get(key).and_then(Node::text).map(str::to_owned);
    let mut numbers = Batch::default();
    if let Some(size) = node.get("size") {
        numbers.size = u32::try_from(size.u64()?).ok()?.try_into().ok()?;
    }
    if let Some(in_flight) = node.get("in_flight") {
        numbers.in_flight = u32::try_from(in_flight.u64()?).ok()?.try_into().ok()?;
    }
    if let Some(timeout) = node.get("timeout") {
        numbers.timeout = timeout.duration()?;
    }
    let into = text("into")?.into();
    Some(Collect { into, items: text("items")?, results: text("results"), keys: text("keys"), numbers })
}

/// Numbers beside a batch would be nobody's: what is sent passes the guard of the operation it is sent as.
fn is_alone(judge: &mut Judge<'_>, operation: &Entry, collect: &Collect) -> bool {
    let mut others = operation.value.entries().iter().filter(|own| own.key != KEY).peekable();
    let alone = others.peek().is_none();
    for other in others {
        let message = format!("`{}` is sent as `{}`, under the numbers of that", operation.key, collect.into);
        let found = Diagnostic::error(code::BAD_BATCH, &other.key_span, message);
        judge.push(found.help(format!("write `{}` at `{}`", other.key, collect.into)));
    }
    alone
}

/// Whether the operation that takes many is there, and is another one that is not collected itself.
fn is_sent(judge: &mut Judge<'_>, guard: &Node, spec: &Spec, batch: &Entry, operation: &Operation) -> bool {
    let Some(node) = batch.value.get("into") else { return false };
    let into = node.text().unwrap_or_default();
    let collected = |name: &str| guard.get("operations").and_then(|all| all.get(name)?.get(KEY)).is_some();
    let found = if spec.operation(into).is_none() {
        let known = spec.operations.iter().map(|known| &*known.name).filter(|name| **name != *operation.name);
        unknown(code::NO_SUCH_OPERATION, &node.span, "operation", into, known)
    } else if collected(into) {
        let message = format!("`{into}` is itself collected");
        Diagnostic::error(code::BAD_BATCH, &node.span, message)
            .help("name an operation that takes many at once")
    } else {
        return true;
    };
    judge.push(found);
    false
}

/// A batch may have to be sent again, together with other items.
fn is_repeatable(judge: &mut Judge<'_>, here: &Span, operation: &Operation, collect: &Collect) -> bool {
    if collect.fits(operation.repeat) {
        return true;
    }
    let name = &operation.name;
    let found = match operation.repeat {
        Repeat::Never => {
            let message = format!("`{name}` must never be repeated, and a batch may have to be sent again");
            Diagnostic::error(code::BAD_BATCH, here, message)
                .help("operations can be collected whose repeat is `safe`, or `keyed` with `keys:`")
        }
        Repeat::Safe | Repeat::Keyed => {
            let message = format!("each item of `{name}` must carry its idempotency key");
            Diagnostic::error(code::BAD_BATCH, here, message)
                .help("add `keys:` with the member of an item that takes it")
        }
    };
    judge.push(found);
    false
}
