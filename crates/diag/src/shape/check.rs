//! Finds everything in a tree that is not as its shape says.

use std::collections::HashMap;
use std::rc::Rc;

use super::{Field, Form, Kind, Shape};
use crate::{Diagnostic, Entry, Node, Span, Tree, code, nearest};

impl Shape {
    /// Everything that is wrong, in the order in which it is written.
    pub fn check(&self, node: &Node) -> Vec<Diagnostic> {
        let mut checker = Checker { named: HashMap::new(), found: Vec::new() };
        checker.value(self, node, &node.span);
        checker.found.sort_by_key(|found| found.span.start);
        checker.found
    }
}

/// Collects what is wrong. `here` is where a mistake of the whole value is shown: its key, where it has one.
pub(super) struct Checker {
    named: HashMap<&'static str, Rc<Shape>>,
    found: Vec<Diagnostic>,
}

impl Checker {
    pub(super) fn value(&mut self, shape: &Shape, node: &Node, here: &Span) {
        match &*shape.kind {
            Kind::Any => {}
            Kind::Object { fields, one_key_of } => self.object(fields, one_key_of, node, here, &[]),
            Kind::Map { name, form, of, min, max } => {
                self.map(name, form.as_ref(), of, node);
                self.length(node.entries().len(), *min..=*max, name, here);
                self.expect(matches!(node.tree, Tree::Map(_)), shape, node, here);
            }
            Kind::List { of, min, max } => {
                node.items().iter().for_each(|item| self.value(of, item, &item.span));
                if self.expect(matches!(node.tree, Tree::List(_)), shape, node, here) {
                    self.length(node.items().len(), *min..=*max, "item", here);
                }
            }
            Kind::OneOf(shapes) => self.one_of(shapes, node, here),
            Kind::Lazy { name, make } => {
                let shape = self.named(name, *make);
                self.value(&shape, node, here);
            }
            _ => {
                let found = super::scalar::check(shape, node, here);
                self.found.extend(found);
            }
        }
    }

    pub(super) fn push(&mut self, found: Diagnostic) {
        self.found.push(found);
    }

    /// What checking alone would find, kept apart.
    pub(super) fn trial(&mut self, shape: &Shape, node: &Node, here: &Span) -> Vec<Diagnostic> {
        let before = std::mem::take(&mut self.found);
        self.value(shape, node, here);
        std::mem::replace(&mut self.found, before)
    }

    pub(super) fn named(&mut self, name: &'static str, make: fn() -> Shape) -> Rc<Shape> {
        self.named.entry(name).or_insert_with(|| Rc::new(make())).clone()
    }

    fn expect(&mut self, right: bool, shape: &Shape, node: &Node, here: &Span) -> bool {
        if !right {
            self.found.push(super::scalar::wrong_type(&shape.words(), shape.may_hold_secret(), node, here));
        }
        right
    }

    fn length(&mut self, len: usize, range: std::ops::RangeInclusive<usize>, what: &str, here: &Span) {
        if range.contains(&len) {
            return;
        }
        let bound = match (*range.start(), *range.end()) {
            (1, 1) => format!("exactly one {what}"),
            (min, usize::MAX) => format!("at least {min} {what}s"),
            (min, max) => format!("{min} to {max} {what}s"),
        };
        let found = Diagnostic::error(code::BAD_LENGTH, here, format!("expected {bound}, found {len}"));
        self.found.push(found);
    }

    fn map(&mut self, name: &str, form: Option<&Form>, of: &Shape, node: &Node) {
        for entry in node.entries() {
            if let Some(form) = form.filter(|form| !form.regex.is_match(&entry.key)) {
                let message = format!("`{}` cannot be the name of a {name}", entry.key);
                let found = Diagnostic::error(code::BAD_NAME, &entry.key_span, message);
                self.found.push(found.help(format!("write {}", form.words)));
            }
            self.value(of, &entry.value, &entry.key_span);
        }
    }

    /// `reported` are keys whose mistake is known already.
    pub(super) fn object(
        &mut self,
        fields: &[Field],
        groups: &[Vec<String>],
        node: &Node,
        here: &Span,
        reported: &[&str],
    ) {
        if !matches!(node.tree, Tree::Map(_)) {
            let secret = fields.iter().any(Field::may_hold_secret);
            let found = super::scalar::wrong_type(&object_words(fields), secret, node, here);
            // A text here may be a secret, so it is not repeated.
            let number = matches!(node.tree, Tree::Number(_));
            let meant = fields.first().filter(|_| number).and_then(|field| self.spelled_out(field, node));
            self.found.push(Diagnostic { help: found.help.iter().cloned().chain(meant).collect(), ..found });
            return;
        }
        for entry in node.entries() {
            match fields.iter().find(|field| field.name == entry.key) {
                Some(field) => self.field(field, entry),
                None if reported.contains(&entry.key.as_str()) => {}
                None => self.found.push(unknown_key(fields, node, entry)),
            }
        }
        let missing = fields.iter().filter(|field| field.required && node.get(&field.name).is_none());
        self.found.extend(missing.map(|field| missing_key(field, here)));
        groups.iter().for_each(|group| self.one_key_of(group, node, here));
    }

    fn field(&mut self, field: &Field, entry: &Entry) {
        if let Some(instead) = &field.deprecated {
            let message = format!("`{}` is deprecated", field.name);
            let found = Diagnostic::warning(code::DEPRECATED, &entry.key_span, message).help(instead);
            self.found.push(found);
        }
        self.value(&field.shape, &entry.value, &entry.key_span);
    }

    fn one_key_of(&mut self, group: &[String], node: &Node, here: &Span) {
        let there: Vec<&Entry> = node.entries().iter().filter(|entry| group.contains(&entry.key)).collect();
        match there.as_slice() {
            [_] => {}
            [] => {
                let message = format!("{} must be here", nearest::one_of(group));
                self.found.push(Diagnostic::error(code::NONE_OF, here, message));
            }
            [first, more @ ..] => {
                for entry in more {
                    let message = format!("`{}` cannot stand beside `{}`", entry.key, first.key);
                    let found = Diagnostic::error(code::SEVERAL_OF, &entry.key_span, message);
                    let help = format!("write exactly {}", nearest::one_of(group));
                    self.found.push(found.help(help));
                }
            }
        }
    }
}

fn object_words(fields: &[Field]) -> String {
    let required: Vec<&str> =
        fields.iter().filter(|field| field.required).map(|field| field.name.as_str()).collect();
    match required.as_slice() {
        [] => "a mapping".to_owned(),
        names => format!("a mapping with {}", nearest::quoted(names)),
    }
}

fn missing_key(field: &Field, here: &Span) -> Diagnostic {
    let found = Diagnostic::error(code::MISSING_KEY, here, format!("missing key `{}`", field.name));
    let words = field.words();
    let comma = if words.is_empty() { "" } else { ", " };
    found.help(format!("add `{}:` with {}{comma}{words}", field.name, field.shape.words()))
}

/// A key that nobody reads. Its value is not shown unless the key is nearly one that holds no secret.
pub(super) fn unknown_key(fields: &[Field], node: &Node, entry: &Entry) -> Diagnostic {
    let free = fields.iter().filter(|field| field.deprecated.is_none());
    let names: Vec<&str> = free.map(|field| field.name.as_str()).collect();
    let unused = names.iter().copied().filter(|name| node.get(name).is_none());
    let near = nearest::nearest(&entry.key, unused);
    let message = format!("unknown key `{}`", entry.key);
    let mut found = Diagnostic::error(code::UNKNOWN_KEY, &entry.key_span, message);
    if let Some(name) = near {
        found = found.help(format!("did you mean `{name}`?"));
    }
    found = found.help(format!("allowed here: {}", nearest::quoted(&names)));
    let meant = fields.iter().find(|field| Some(field.name.as_str()) == near);
    let open = meant.is_some_and(|field| !matches!(*field.shape.kind, Kind::Secret));
    if open { found } else { found.hiding(&entry.value.span) }
}
