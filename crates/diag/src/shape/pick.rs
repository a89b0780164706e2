//! Which of several shapes a value is meant to have.

use super::check::{Checker, unknown_key};
use super::{Field, Kind, Shape};
use crate::{Diagnostic, Entry, Node, Span, Tree, code, nearest};

impl Checker {
    pub(super) fn one_of(&mut self, shapes: &[Shape], node: &Node, here: &Span) {
        let variants: Vec<Shape> = shapes.iter().flat_map(|shape| self.opened(shape)).collect();
        let maps = variants.iter().filter(|shape| shape.accepts(&node.tree)).count();
        if maps > 1 && matches!(node.tree, Tree::Map(_)) {
            return self.tagged(&variants, node, here);
        }
        let mut best: Option<Vec<Diagnostic>> = None;
        for shape in variants.iter().filter(|shape| shape.accepts(&node.tree)) {
            let found = self.trial(shape, node, here);
            if best.as_ref().is_none_or(|best| found.len() < best.len()) {
                best = Some(found);
            }
        }
        match best {
            Some(mut found) => {
                let firsts = variants.iter().filter_map(Shape::first);
                let meant = firsts.filter_map(|first| self.spelled_out(first, node)).next();
                if let Some(first) = found.first_mut() {
                    first.help.extend(meant);
                }
                found.into_iter().for_each(|found| self.push(found));
            }
            None => {
                let secret = variants.iter().any(Shape::may_hold_secret);
                self.push(super::scalar::wrong_type(&alternatives(&variants), secret, node, here));
            }
        }
    }

    /// Follows names and nested alternatives down to shapes that can be told apart.
    fn opened(&mut self, shape: &Shape) -> Vec<Shape> {
        match &*shape.kind {
            Kind::OneOf(shapes) => shapes.iter().flat_map(|shape| self.opened(shape)).collect(),
            Kind::Lazy { name, make } => {
                let shape = self.named(name, *make);
                self.opened(&shape)
            }
            _ => vec![shape.clone()],
        }
    }

    fn tagged(&mut self, variants: &[Shape], node: &Node, here: &Span) {
        let tags: Vec<&str> = variants.iter().filter_map(Shape::tag).collect();
        let mut there = node.entries().iter().filter(|entry| tags.contains(&entry.key.as_str()));
        let Some(first) = there.next() else { return self.untagged(variants, &tags, node, here) };
        let chosen = variants.iter().find(|shape| shape.tag() == Some(&first.key)).map(|shape| &*shape.kind);
        let Some(Kind::Object { fields, one_key_of }) = chosen else { return };
        let mut reported = Vec::new();
        for second in there.filter(|second| !fields.iter().any(|field| field.name == second.key)) {
            let message = format!("`{}` cannot stand beside `{}`", second.key, first.key);
            self.push(Diagnostic::error(code::SEVERAL_OF, &second.key_span, message));
            reported.push(second.key.as_str());
        }
        self.object(fields, one_key_of, node, here, &reported);
    }

    /// What was meant by the value of an object's first key without the object: `{ attempts: 3 }` for `3`.
    pub(super) fn spelled_out(&mut self, first: &Field, node: &Node) -> Option<String> {
        let value = match (&node.tree, &*first.shape.kind) {
            (Tree::Text(text), Kind::Text { form: Some(_) }) => text.clone(),
            (Tree::Number(number), Kind::Int { .. } | Kind::Number { .. }) => number.to_string(),
            _ => return None,
        };
        let fits = self.trial(&first.shape, node, &node.span).is_empty();
        fits.then(|| format!("write `{{ {}: {value} }}`", first.name))
    }

    fn untagged(&mut self, variants: &[Shape], tags: &[&str], node: &Node, here: &Span) {
        let map = variants.iter().find(|shape| matches!(*shape.kind, Kind::Map { .. }));
        let known = |entry: &&Entry| variants.iter().any(|shape| shape.has(&entry.key));
        let near = node
            .entries()
            .iter()
            .filter(|entry| !known(entry))
            .find_map(|entry| nearest::nearest(&entry.key, tags.iter().copied()).map(|tag| (entry, tag)));
        if let (Some(map), 1) = (map, node.entries().len()) {
            let mut found = self.trial(map, node, here);
            if let (Some(first), Some((_, tag))) = (found.first_mut(), near) {
                first.help.insert(0, format!("did you mean `{tag}`?"));
            }
            return found.into_iter().for_each(|found| self.push(found));
        }
        let Some((entry, tag)) = near else {
            let message = format!("{} must be here", nearest::one_of(tags));
            return self.push(Diagnostic::error(code::NONE_OF, here, message));
        };
        let fields: Vec<Field> = tags.iter().map(|tag| Field::new(*tag, Shape::any())).collect();
        let mut found = unknown_key(&fields, node, entry);
        found.help.truncate(0);
        self.push(found.help(format!("did you mean `{tag}`?")).help(nearest::one_of(tags)));
    }
}

impl Shape {
    /// The key that tells an object from its alternatives: its first field.
    fn tag(&self) -> Option<&str> {
        self.first().map(|field| field.name.as_str())
    }

    fn first(&self) -> Option<&Field> {
        match &*self.kind {
            Kind::Object { fields, .. } => fields.first(),
            _ => None,
        }
    }

    /// Whether it is an object that has this key.
    fn has(&self, key: &str) -> bool {
        matches!(&*self.kind, Kind::Object { fields, .. } if fields.iter().any(|field| field.name == key))
    }

    fn accepts(&self, tree: &Tree) -> bool {
        match &*self.kind {
            Kind::Any => true,
            Kind::Null => matches!(tree, Tree::Null),
            Kind::Bool => matches!(tree, Tree::Bool(_)),
            Kind::Int { .. } | Kind::Number { .. } => matches!(tree, Tree::Number(_)),
            Kind::Text { .. } | Kind::Choice(_) | Kind::Duration | Kind::Size | Kind::Expr => {
                matches!(tree, Tree::Text(_))
            }
            Kind::List { .. } => matches!(tree, Tree::List(_)),
            Kind::Map { .. } | Kind::Object { .. } | Kind::Secret => matches!(tree, Tree::Map(_)),
            Kind::OneOf(_) | Kind::Lazy { .. } => true,
        }
    }
}

/// The alternatives in words; objects that are told apart by a key share one phrase.
pub(super) fn alternatives(variants: &[Shape]) -> String {
    let tags: Vec<&str> = variants.iter().filter_map(Shape::tag).collect();
    let mut words: Vec<String> =
        variants.iter().filter(|shape| shape.tag().is_none()).map(Shape::words).collect();
    if let [_] = tags.as_slice() {
        words.insert(0, "a mapping".to_owned());
    } else if !tags.is_empty() {
        words.insert(0, format!("a mapping with {}", nearest::quoted(&tags)));
    }
    words.dedup();
    words.join(" or ")
}
