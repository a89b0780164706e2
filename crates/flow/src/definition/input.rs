//! What an operation wants of its input, as far as its JSON Schema says so plainly, and what a step gives it.

use std::collections::BTreeSet;

use diag::{Diagnostic, Node, Severity, Span, Tree};
use expr::{Mapping, Ty};
use serde_json::Value;

/// The members that an input must have, and those it may have.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Input {
    required: BTreeSet<String>,
    /// `None` when it may have any.
    allowed: Option<BTreeSet<String>>,
}

impl Input {
    /// Reads `required`, and `properties` where no others may be.
    pub fn from_schema(schema: &Value) -> Self {
        let list = schema.get("required").and_then(Value::as_array);
        let required = list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
        let open = schema.get("additionalProperties") != Some(&Value::Bool(false))
            || schema.get("patternProperties").is_some();
        let properties = schema.get("properties").and_then(Value::as_object).filter(|_| !open);
        let allowed = properties.map(|properties| properties.keys().cloned().collect());
        Self { required, allowed }
    }

    /// The members that it must have.
    pub(super) fn required(&self) -> impl Iterator<Item = &str> {
        self.required.iter().map(String::as_str)
    }

    /// What is wrong with an input written at `node`, which compiled to `mapping`. What its expressions yield is
    /// not sure, so a member that an expression does not promise is a warning.
    pub(super) fn judge(&self, name: &str, node: &Node, mapping: &Mapping) -> Vec<Diagnostic> {
        let Ty::Map { fields, open } = mapping.ty() else { return Vec::new() };
        let written = matches!(node.tree, Tree::Map(_));
        let lacks = |member: &&String| !open && !fields.contains_key(*member);
        let missing = self.required.iter().filter(lacks);
        let mut found: Vec<_> = missing.map(|member| absent(name, member, &node.span, written)).collect();
        if let (Some(allowed), true) = (&self.allowed, written) {
            let extra = node.entries().iter().filter(|entry| !allowed.contains(&entry.key));
            found.extend(extra.map(|entry| homeless(name, &entry.key, &entry.key_span, allowed)));
        }
        found
    }

    /// What is wrong with writing no input at all, for a call written at `span`.
    pub(super) fn judge_nothing(&self, name: &str, span: &Span) -> Vec<Diagnostic> {
        self.required.iter().map(|member| absent(name, member, span, true)).collect()
    }
}

fn absent(name: &str, member: &str, span: &Span, sure: bool) -> Diagnostic {
    let severity = if sure { Severity::Error } else { Severity::Warning };
    let found = Diagnostic::error("FLOW014", span, format!("`{name}` needs the member `{member}`"));
    Diagnostic { severity, ..found }.help(format!("write `with: {{ {member}: … }}`"))
}

fn homeless(name: &str, member: &str, span: &Span, allowed: &BTreeSet<String>) -> Diagnostic {
    let found =
        Diagnostic::error("FLOW014", span, format!("`{name}` has no place for the member `{member}`"));
    let names: Vec<&String> = allowed.iter().collect();
    found.help(match names.as_slice() {
        [] => "it takes no input".to_owned(),
        names => format!("it takes {}", diag::quoted(names).replace(" or ", " and ")),
    })
}
