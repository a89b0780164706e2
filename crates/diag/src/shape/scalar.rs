//! Checks single values, and says in words what a shape wants.

use super::{Field, Form, Kind, Shape};
use crate::{Diagnostic, Node, Span, Tree, code, nearest, units};

/// What is wrong with a single value.
pub(super) fn check(shape: &Shape, node: &Node, here: &Span) -> Option<Diagnostic> {
    match (&*shape.kind, &node.tree) {
        (Kind::Null, Tree::Null) | (Kind::Bool, Tree::Bool(_)) | (Kind::Expr, Tree::Text(_)) => None,
        (Kind::Text { form }, Tree::Text(text)) => bad_form(form.as_ref()?, text, node),
        (Kind::Choice(words), Tree::Text(text)) => not_a_choice(words, text, node),
        (Kind::Int { min, max }, Tree::Number(number)) if !number.is_f64() => {
            let inside = number.as_i64().is_some_and(|value| (*min..=*max).contains(&value));
            (!inside).then(|| out_of_range(&number.to_string(), shape, node))
        }
        (Kind::Number { min, max }, Tree::Number(number)) => {
            let inside = number.as_f64().is_some_and(|value| (*min..=*max).contains(&value));
            (!inside).then(|| out_of_range(&number.to_string(), shape, node))
        }
        (Kind::Duration, Tree::Text(text)) => units::duration(text).err().map(|why| {
            Diagnostic::error(code::BAD_DURATION, &node.span, format!("{text:?} is not a duration: {why}"))
                .help("write it as 250ms, 3s, 5m, 1h or 1d")
        }),
        (Kind::Size, Tree::Text(text)) => units::size(text).err().map(|why| {
            Diagnostic::error(code::BAD_SIZE, &node.span, format!("{text:?} is not a size: {why}"))
                .help("write it as 512B, 64KiB, 1MiB or 2GiB")
        }),
        (Kind::Secret, _) => bad_secret(node),
        _ => {
            let found = wrong_type(&shape.words(), shape.may_hold_secret(), node, here);
            Some(match shape.examples.first() {
                Some(example) => Diagnostic { help: vec![format!("for example {example}")], ..found },
                None => found,
            })
        }
    }
}

/// Another type than expected. With `secret`, what was expected may hold a secret.
pub(super) fn wrong_type(expected: &str, secret: bool, node: &Node, here: &Span) -> Diagnostic {
    let absent = matches!(node.tree, Tree::Null);
    let span = if absent { here } else { &node.span };
    let message = format!("expected {expected}, found {}", node.tree.words());
    let mut found = Diagnostic::error(code::WRONG_TYPE, span, message);
    // Where a mapping belongs, a bare text may be the secret that the mapping should name.
    if secret && expected.starts_with("a mapping") && matches!(node.tree, Tree::Text(_)) {
        found = found.hiding(span);
    }
    match &node.tree {
        Tree::Number(_) | Tree::Bool(_) if expected.starts_with("text") => {
            found.help("quote it to make it text")
        }
        Tree::Number(number) if expected.starts_with("a duration") => {
            found.help(format!("write the unit: {number}ms, {number}s or {number}m"))
        }
        Tree::Number(number) if expected.starts_with("a size") => {
            found.help(format!("write the unit: {number}B, {number}KiB or {number}MiB"))
        }
        _ => found,
    }
}

fn bad_form(form: &Form, text: &str, node: &Node) -> Option<Diagnostic> {
    (!form.regex.is_match(text)).then(|| {
        let message = format!("{text:?} is not {}", form.words);
        Diagnostic::error(code::BAD_FORM, &node.span, message)
    })
}

fn not_a_choice(words: &[String], text: &str, node: &Node) -> Option<Diagnostic> {
    if words.iter().any(|word| word == text) {
        return None;
    }
    let message = format!("{text:?} is not {}", nearest::one_of(words));
    let found = Diagnostic::error(code::NOT_A_CHOICE, &node.span, message);
    match nearest::nearest(text, words.iter().map(String::as_str)) {
        Some(word) => Some(found.help(format!("did you mean `{word}`?"))),
        None => Some(found),
    }
}

fn out_of_range(value: &str, shape: &Shape, node: &Node) -> Diagnostic {
    let message = format!("{value} is out of range: expected {}", shape.words());
    Diagnostic::error(code::OUT_OF_RANGE, &node.span, message)
}

fn bad_secret(node: &Node) -> Option<Diagnostic> {
    let well_formed = node.entries().len() == 1 && node.secret().is_some();
    if well_formed {
        return None;
    }
    let found = Diagnostic::error(code::OPEN_SECRET, &node.span, "expected a secret's handle, not a value");
    let found = found.help("name it under `secrets:` and write `{ secret: NAME }` here");
    Some(found.hiding(&node.span))
}

impl Tree {
    /// What it is, in words; never its value.
    pub(crate) fn words(&self) -> &'static str {
        match self {
            Tree::Null => "nothing",
            Tree::Bool(_) => "true or false",
            Tree::Number(number) if number.is_f64() => "a number",
            Tree::Number(_) => "a whole number",
            Tree::Text(_) => "text",
            Tree::List(_) => "a list",
            Tree::Map(_) => "a mapping",
        }
    }
}

impl Field {
    pub(super) fn may_hold_secret(&self) -> bool {
        self.name == "env" || self.shape.may_hold_secret()
    }
}

impl Shape {
    /// Whether a secret may be named in it, by its handle or its variable, so that a text in its place may be the secret
    /// itself; the same for headers.
    pub(super) fn may_hold_secret(&self) -> bool {
        match &*self.kind {
            Kind::Secret | Kind::Map { name: "header", .. } => true,
            Kind::List { of, .. } | Kind::Map { of, .. } => of.may_hold_secret(),
            Kind::Object { fields, .. } => fields.iter().any(Field::may_hold_secret),
            Kind::OneOf(shapes) => shapes.iter().any(Shape::may_hold_secret),
            _ => false,
        }
    }

    /// What it wants, in words.
    pub(crate) fn words(&self) -> String {
        match &*self.kind {
            Kind::Any => "any value".into(),
            Kind::Null => "nothing".into(),
            Kind::Bool => "true or false".into(),
            Kind::Text { form: None } | Kind::Expr => "text".into(),
            Kind::Text { form: Some(form) } => format!("text: {}", form.words),
            Kind::Choice(words) => nearest::one_of(words),
            Kind::Int { min, max } => range_words(
                "a whole number",
                (*min != i64::MIN).then_some(min),
                (*max != i64::MAX).then_some(max),
            ),
            Kind::Number { min, max } => {
                range_words("a number", (*min != f64::MIN).then_some(min), (*max != f64::MAX).then_some(max))
            }
            Kind::Duration => "a duration (`250ms`, `3s`, `5m`)".into(),
            Kind::Size => "a size (`64KiB`, `1MiB`)".into(),
            Kind::Secret => "a secret's handle (`{ secret: NAME }`)".into(),
            Kind::List { of, .. } => match &*of.kind {
                Kind::Lazy { name, .. } => format!("a list of {name}s"),
                Kind::Object { .. } => "a list of mappings".into(),
                _ => format!("a list of {}", of.words()),
            },
            Kind::Map { name: "name", .. } => "a mapping of names".into(),
            Kind::Map { name, .. } => format!("a mapping of {name} names"),
            Kind::Object { .. } => "a mapping".into(),
            Kind::OneOf(shapes) => super::pick::alternatives(shapes),
            Kind::Lazy { name, .. } => format!("a {name}"),
        }
    }
}

fn range_words<T: std::fmt::Display>(what: &str, min: Option<T>, max: Option<T>) -> String {
    match (min, max) {
        (Some(min), Some(max)) => format!("{what} from {min} to {max}"),
        (Some(min), None) => format!("{what} of at least {min}"),
        (None, Some(max)) => format!("{what} of at most {max}"),
        (None, None) => what.to_owned(),
    }
}
