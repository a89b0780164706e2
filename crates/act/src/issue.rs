//! What is wrong with a document, and where.

use serde::Serialize;

use crate::Mended;

/// One thing that is wrong, or (as a warning) worth knowing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Issue {
    /// RFC 6901 pointer to the offending, missing or unexpected member itself.
    pub pointer: String,
    /// A stable word for machines, such as `act.missing`.
    pub code: &'static str,
    /// A sentence for people: lowercase, says what would be right.
    pub message: String,
}

/// The stable codes.
pub(crate) mod code {
    pub(crate) const MISSING: &str = "act.missing";
    pub(crate) const UNEXPECTED: &str = "act.unexpected";
    pub(crate) const TYPE: &str = "act.type";
    pub(crate) const CHOICE: &str = "act.choice";
    pub(crate) const FORMAT: &str = "act.format";
    pub(crate) const BOUND: &str = "act.bound";
    pub(crate) const REGEX: &str = "act.regex";
    pub(crate) const PATTERN_SIZE: &str = "act.pattern_size";
    pub(crate) const TOO_LONG: &str = "act.too_long";
    pub(crate) const EMPTY: &str = "act.empty";
    pub(crate) const DUPLICATE: &str = "act.duplicate";
    pub(crate) const UNKNOWN_TYPE: &str = "act.unknown_type";
    pub(crate) const UNKNOWN_SPEAKER: &str = "act.unknown_speaker";
}

/// Where the reader stands: a chain of borrowed steps that costs nothing until a pointer is asked for.
#[derive(Clone, Copy)]
pub(crate) struct At<'a> {
    above: Option<&'a At<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Root,
    Member(&'a str),
    Item(usize),
}

impl<'a> At<'a> {
    pub(crate) const ROOT: At<'static> = At { above: None, step: Step::Root };

    pub(crate) fn member(&'a self, name: &'a str) -> At<'a> {
        At { above: Some(self), step: Step::Member(name) }
    }

    pub(crate) fn item(&'a self, index: usize) -> At<'a> {
        At { above: Some(self), step: Step::Item(index) }
    }

    pub(crate) fn pointer(&self) -> String {
        let mut pointer = self.above.map_or_else(String::new, At::pointer);
        match self.step {
            Step::Root => {}
            Step::Member(name) => json::push_token(&mut pointer, name),
            Step::Item(index) => json::push_token(&mut pointer, &index.to_string()),
        }
        pointer
    }
}

/// What a reader found. The meaning of a document is only judged when its shape is right.
#[derive(Default)]
pub(crate) struct Findings {
    pub(crate) shape: Vec<Issue>,
    pub(crate) meaning: Vec<Issue>,
    pub(crate) mended: Mended,
}

impl Findings {
    pub(crate) fn shape(&mut self, at: &At<'_>, code: &'static str, message: impl Into<String>) {
        self.shape.push(Issue { pointer: at.pointer(), code, message: message.into() });
    }

    pub(crate) fn meaning(&mut self, at: &At<'_>, code: &'static str, message: impl Into<String>) {
        self.meaning.push(Issue { pointer: at.pointer(), code, message: message.into() });
    }

    /// The first layer that found anything.
    pub(crate) fn into_issues(self) -> Vec<Issue> {
        if self.shape.is_empty() { self.meaning } else { self.shape }
    }
}
