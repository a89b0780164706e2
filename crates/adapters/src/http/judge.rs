//! What is wrong with a section, each mistake at its place.

use std::time::Duration;

use diag::{Diagnostic, Node, Severity, Span};

use super::config::Codes;

/// Collects what is wrong, each at its place.
pub(crate) struct Judge<'a> {
    pub(crate) found: Vec<Diagnostic>,
    /// What the adapter calls the mistakes that every adapter of this room can find.
    pub(crate) codes: &'static Codes,
    section: &'a Node,
}

impl<'a> Judge<'a> {
    /// Begins with nothing found.
    pub(crate) fn new(section: &'a Node, codes: &'static Codes) -> Self {
        Self { found: Vec::new(), codes, section }
    }

    /// The place of the value at `path`, or of its nearest written parent.
    pub(crate) fn place(&self, path: &[&str]) -> &'a Span {
        let step = |node: &'a Node, key: &&str| node.get(key).ok_or(node);
        match path.iter().try_fold(self.section, step) {
            Ok(node) | Err(node) => &node.span,
        }
    }

    /// The place of what a pointer leads to below `path`, or of its nearest written parent.
    pub(crate) fn within(&self, path: &[&str], pointer: &str) -> &'a Span {
        let mut pointer = pointer;
        let Some(node) = self.node(path) else { return self.place(path) };
        loop {
            match (node.at(pointer), pointer.rfind('/')) {
                (Some(node), _) => return &node.span,
                (None, Some(end)) => pointer = &pointer[..end],
                (None, None) => return &node.span,
            }
        }
    }

    /// What is written at `path`.
    pub(crate) fn node(&self, path: &[&str]) -> Option<&'a Node> {
        path.iter().try_fold(self.section, |node, key| node.get(key))
    }

    /// The duration that is written at `path`.
    pub(crate) fn duration(&self, path: &[&str]) -> Option<Duration> {
        self.node(path)?.duration()
    }

    /// Whether no finding is an error.
    pub(crate) fn is_sound(&self) -> bool {
        self.found.iter().all(|finding| finding.severity < Severity::Error)
    }

    /// Records a mistake; `None`, so that a caller can end with it.
    pub(crate) fn refuse<T>(
        &mut self,
        code: &'static str,
        path: &[&str],
        says: impl Into<String>,
        help: &str,
    ) -> Option<T> {
        let mut found = Diagnostic::error(code, self.place(path), says).help(help);
        // What stands in a header or an address may be a credential.
        let url = self.section.get("url").and_then(Node::text).unwrap_or_default();
        if path.first() == Some(&"headers") || (path == ["url"] && url.contains('@')) {
            found = found.hiding(self.place(path));
        }
        self.found.push(found);
        None
    }
}
