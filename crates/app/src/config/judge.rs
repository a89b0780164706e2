//! The merged document under judgement, and what was found in it.

use diag::{Diagnostic, Entry, Node, Severity, Span, Tree, nearest};

use super::code;

/// The version of `cardan.yaml` that this build reads.
const VERSION: u64 = 1;

/// The merged document, and what was found in it so far.
pub(super) struct Judge<'a> {
    pub(super) root: &'a Node,
    /// What the shape found before.
    shaped: &'a [Diagnostic],
    pub(super) found: Vec<Diagnostic>,
}

impl<'a> Judge<'a> {
    pub(super) fn new(root: &'a Node, shaped: &'a [Diagnostic]) -> Self {
        Self { root, shaped, found: Vec::new() }
    }

    /// Whether the shape found no error from `key` to the end of `node`: one mistake is not said twice in other
    /// words.
    pub(super) fn is_sound(&self, key: &Span, node: &Node) -> bool {
        let inside = |span: &Span| span.file == key.file && (key.start..=node.span.end).contains(&span.start);
        self.shaped.iter().all(|found| found.severity < Severity::Error || !inside(&found.span))
    }

    /// The value of a section.
    pub(super) fn section(&self, name: &str) -> Option<&'a Node> {
        self.root.get(name)
    }

    /// The entries of a section that maps names to something.
    pub(super) fn names(&self, section: &str) -> &'a [Entry] {
        self.section(section).map_or(&[], Node::entries)
    }

    /// Where a section's key stands.
    pub(super) fn key(&self, section: &str) -> Option<&'a Span> {
        self.root.entries().iter().find(|entry| entry.key == section).map(|entry| &entry.key_span)
    }

    pub(super) fn push(&mut self, found: Diagnostic) {
        self.found.push(found);
    }

    /// The node without what the shape found wrong, so that what is right around it can still be judged.
    pub(super) fn pruned(&self, node: &Node) -> Node {
        let tree = match &node.tree {
            Tree::Map(entries) => {
                Tree::Map(entries.iter().filter_map(|entry| self.pruned_entry(entry)).collect())
            }
            Tree::List(items) => {
                let kept = items.iter().filter(|item| self.is_sound(&item.span, item));
                Tree::List(kept.cloned().collect())
            }
            other => other.clone(),
        };
        Node { span: node.span.clone(), tree }
    }

    fn pruned_entry(&self, entry: &Entry) -> Option<Entry> {
        if self.is_sound(&entry.key_span, &entry.value) {
            return Some(entry.clone());
        }
        let inner = !entry.value.entries().is_empty() || !entry.value.items().is_empty();
        inner.then(|| Entry { value: self.pruned(&entry.value), ..entry.clone() })
    }

    /// Adds what a room found in a [`Judge::pruned`] node, without what the shape has said.
    pub(super) fn add_new(&mut self, found: Vec<Diagnostic>) {
        self.found.extend(found.into_iter().filter(|found| !found.code.starts_with("CFG")));
    }

    /// Refuses a version of the file that this build does not read.
    pub(super) fn version(&mut self) {
        let Some(node) = self.section("cardan").filter(|node| node.u64().is_some_and(|n| n != VERSION))
        else {
            return;
        };
        let found = Diagnostic::error(code::VERSION, &node.span, "this version of the file is not known");
        self.push(found.help(format!("this build reads version {VERSION}")));
    }
}

/// A name that does not exist, with the nearest that does.
pub(super) fn unknown<'n>(
    code: &'static str,
    at: &Span,
    what: &str,
    name: &str,
    known: impl IntoIterator<Item = &'n str>,
) -> Diagnostic {
    let known: Vec<&str> = known.into_iter().collect();
    let mut found = Diagnostic::error(code, at, format!("there is no {what} named `{name}`"));
    if let Some(name) = nearest(name, known.iter().copied()) {
        found = found.help(format!("did you mean `{name}`?"));
    }
    match known.as_slice() {
        [] => found,
        known => found.help(format!("there is {}", diag::quoted(known).replace(" or ", " and "))),
    }
}
