//! Puts the parser's events together into a tree.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde_saphyr::granit_parser::{Event, ScalarStyle, Span as Marks, Tag};

use super::{MAX_DEPTH, MAX_NODES, MAX_TEXT, place, scalar};
use crate::{Diagnostic, Entry, Node, Span, Tree, code};

/// A list or mapping whose end has not been seen.
struct Open {
    span: Span,
    anchor: usize,
    before: Size,
    parts: Parts,
}

/// How much a document holds, with what aliases repeat.
#[derive(Clone, Copy, Default)]
struct Size {
    nodes: usize,
    /// Bytes of keys and values.
    text: usize,
}

impl Size {
    fn plus(self, more: Size) -> Self {
        Self { nodes: self.nodes + more.nodes, text: self.text + more.text }
    }

    fn fits(self) -> bool {
        self.nodes <= MAX_NODES && self.text <= MAX_TEXT
    }
}

enum Parts {
    List(Vec<Node>),
    Map { entries: Vec<Entry>, seen: HashSet<String>, key: Option<(String, Span)> },
}

pub(super) struct Builder {
    file: Arc<str>,
    open: Vec<Open>,
    root: Option<Node>,
    documents: usize,
    /// What each anchor names, and how much that is.
    anchors: HashMap<usize, (Node, Size)>,
    size: Size,
    broken: bool,
    diagnostics: Vec<Diagnostic>,
}

impl Builder {
    pub(super) fn new(file: Arc<str>) -> Self {
        Self {
            file,
            open: Vec::new(),
            root: None,
            documents: 0,
            anchors: HashMap::new(),
            size: Size::default(),
            broken: false,
            diagnostics: Vec::new(),
        }
    }

    /// Takes one event; `false` when reading must end.
    pub(super) fn take(&mut self, event: Event<'_>, marks: Marks) -> bool {
        let span = self.span(&marks);
        if let Some(tag) = event.tag() {
            self.refuse_tag(tag, &marks);
        }
        match event {
            Event::DocumentStart(..) => self.start_document(&span),
            Event::Scalar(text, style, anchor, tag) => {
                let tagged = tag.is_some_and(|tag| tag.is_yaml_core_schema_tag("str"));
                self.scalar(&text, tagged || style != ScalarStyle::Plain, anchor, span)
            }
            Event::SequenceStart(_, anchor, _) => self.start(Parts::List(Vec::new()), anchor, span),
            Event::MappingStart(_, anchor, _) => {
                let parts = Parts::Map { entries: Vec::new(), seen: HashSet::new(), key: None };
                self.start(parts, anchor, span)
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(&span),
            Event::Alias(id) => self.alias(id, &span),
            _ => true,
        }
    }

    /// Notes what ends the reading.
    pub(super) fn stop(&mut self, found: Diagnostic) -> bool {
        self.diagnostics.push(found);
        self.broken = true;
        false
    }

    pub(super) fn finish(self) -> (Option<Node>, Vec<Diagnostic>) {
        let empty = || Node { span: super::start_of(&self.file), tree: Tree::Null };
        let root = (!self.broken).then(|| self.root.unwrap_or_else(empty));
        (root, self.diagnostics)
    }

    fn start_document(&mut self, span: &Span) -> bool {
        self.documents += 1;
        if self.documents == 1 {
            return true;
        }
        let found = Diagnostic::error(code::YAML_FEATURE, span, "a second document starts here");
        self.stop(found.help("one file holds one document; write the rest into another file"))
    }

    fn scalar(&mut self, text: &str, as_text: bool, anchor: usize, span: Span) -> bool {
        if self.expects_key() {
            return self.key(text, span);
        }
        let tree = if as_text { Ok(Tree::Text(text.to_owned())) } else { scalar::resolve(text) };
        let tree = tree.unwrap_or_else(|message| {
            let found = Diagnostic::error(code::NUMBER, &span, message);
            self.diagnostics.push(found.help("quote it to keep it as text"));
            Tree::Text(text.to_owned())
        });
        let span = self.own_or_key(span);
        self.size.text += text.len();
        self.add(Node { span, tree }, anchor, Size { nodes: 1, text: text.len() })
    }

    /// An absent value stands where its key stands.
    fn own_or_key(&self, span: Span) -> Span {
        match self.open.last().map(|open| &open.parts) {
            Some(Parts::Map { key: Some((_, key)), .. }) if span.start == span.end => key.clone(),
            _ => span,
        }
    }

    fn expects_key(&self) -> bool {
        matches!(self.open.last().map(|open| &open.parts), Some(Parts::Map { key: None, .. }))
    }

    fn key(&mut self, text: &str, span: Span) -> bool {
        if text == "<<" {
            let found =
                Diagnostic::error(code::YAML_FEATURE, &span, "merge keys (`<<`) are not part of YAML 1.2");
            self.diagnostics.push(found.help("write the keys out, or name a profile"));
        }
        self.size.text += text.len();
        if let Some(Open { parts: Parts::Map { key, .. }, .. }) = self.open.last_mut() {
            *key = Some((text.to_owned(), span));
        }
        true
    }

    fn start(&mut self, parts: Parts, anchor: usize, span: Span) -> bool {
        if self.expects_key() {
            let found = Diagnostic::error(code::YAML_FEATURE, &span, "a key must be a word or a number");
            return self.stop(found.help("quote the key if it starts with `{` or `[`"));
        }
        if self.open.len() >= MAX_DEPTH {
            let message = format!("nested deeper than {MAX_DEPTH} levels");
            return self.stop(Diagnostic::error(code::LIMIT, &span, message));
        }
        self.open.push(Open { span, anchor, before: self.size, parts });
        true
    }

    /// `closing` is the bracket that ends it, empty for what ends by indentation.
    fn end(&mut self, closing: &Span) -> bool {
        let Some(open) = self.open.pop() else { return true };
        let (tree, last) = match open.parts {
            Parts::List(items) => {
                let last = items.last().map(|item| item.span.end);
                (Tree::List(items), last)
            }
            Parts::Map { entries, .. } => {
                let last = entries.last().map(|entry| entry.value.span.end.max(entry.key_span.end));
                (Tree::Map(entries), last)
            }
        };
        let closed = if closing.start < closing.end { closing.end } else { 0 };
        let end = last.unwrap_or(open.span.end).max(open.span.end).max(closed);
        let node = Node { span: Span { end, ..open.span }, tree };
        let size =
            Size { nodes: self.size.nodes - open.before.nodes + 1, text: self.size.text - open.before.text };
        self.add(node, open.anchor, size)
    }

    fn alias(&mut self, id: usize, span: &Span) -> bool {
        if self.expects_key() {
            let found = Diagnostic::error(code::YAML_FEATURE, span, "an alias cannot be a key");
            return self.stop(found);
        }
        match self.anchors.get(&id) {
            Some((_, size)) if !self.size.plus(*size).fits() => self.too_many(span),
            Some((node, size)) => {
                let (node, size) = (node.clone(), *size);
                self.size.nodes += size.nodes - 1;
                self.size.text += size.text;
                self.add(node, 0, size)
            }
            None => {
                let found =
                    Diagnostic::error(code::YAML_FEATURE, span, "the alias stands inside what it names");
                self.stop(found)
            }
        }
    }

    /// Puts a finished node where it belongs. `size` is how much it holds; all but the node itself is counted already.
    fn add(&mut self, node: Node, anchor: usize, size: Size) -> bool {
        self.size.nodes += 1;
        // What an anchor keeps is a copy, so it counts too.
        if anchor != 0 {
            self.size = self.size.plus(size);
        }
        if !self.size.fits() {
            return self.too_many(&node.span);
        }
        if anchor != 0 {
            self.anchors.insert(anchor, (node.clone(), size));
        }
        match self.open.last_mut().map(|open| &mut open.parts) {
            None => self.root = Some(node),
            Some(Parts::List(items)) => items.push(node),
            Some(Parts::Map { entries, seen, key }) => {
                if let Some((key, key_span)) = key.take().filter(|(key, _)| key != "<<") {
                    self.diagnostics.extend(insert(entries, seen, Entry { key, key_span, value: node }));
                }
            }
        }
        true
    }

    fn too_many(&mut self, span: &Span) -> bool {
        let message = match self.size.nodes >= MAX_NODES {
            true => format!("more than {MAX_NODES} values in one document"),
            false => {
                format!("more than {MAX_TEXT} bytes of text in one document, or more values than {MAX_NODES}")
            }
        };
        self.stop(Diagnostic::error(code::LIMIT, span, message))
    }

    fn refuse_tag(&mut self, tag: &Tag, marks: &Marks) {
        if tag.is_yaml_core_schema_tag("str") {
            return;
        }
        let span = marks.tag_span().map_or_else(|| self.span(marks), |tag| self.span(&tag));
        let message = format!("the tag `{}` is not understood", tag.original());
        let found = Diagnostic::error(code::YAML_FEATURE, &span, message);
        self.diagnostics.push(found.help("leave it out; quote the value to keep it as text"));
    }

    fn span(&self, marks: &Marks) -> Span {
        let start = place(&self.file, &marks.start);
        let end = marks.end.byte_offset().unwrap_or(start.start).max(start.start);
        Span { end, ..start }
    }
}

/// Adds an entry, or says that its key is there already.
fn insert(entries: &mut Vec<Entry>, seen: &mut HashSet<String>, entry: Entry) -> Option<Diagnostic> {
    if seen.insert(entry.key.clone()) {
        entries.push(entry);
        return None;
    }
    let first = entries.iter().find(|earlier| earlier.key == entry.key)?;
    let message = format!("the key `{}` is written twice", entry.key);
    let help = format!("the first stands at line {}; keep one", first.key_span.line);
    Some(Diagnostic::error(code::DUPLICATE_KEY, &entry.key_span, message).help(help))
}
