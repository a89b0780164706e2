//! Several files become one document; what two of them say is an error that names both places.

use std::collections::HashMap;

use adapters::Kinds;
use diag::{Diagnostic, Entry, Node, Source, Span, Tree};

use super::{code, shape};

/// Sections that map names to something: their names may be spread over files.
const SPREAD: [&str; 6] = ["secrets", "limit_stores", "profiles", "systems", "entities", "flows"];

/// Reads and checks each text by itself, then merges them.
pub(super) fn documents(sources: &[Source], kinds: &Kinds) -> (Node, Vec<Diagnostic>) {
    let shape = shape::sections(kinds);
    let mut found = Vec::new();
    let mut merged = Merged::default();
    for source in sources {
        let (node, mut wrong) = diag::parse_partial(&source.file, &source.text);
        if let Some(node) = node {
            wrong.extend(shape.check(&node));
            merged.take(node, &mut wrong);
        }
        found.append(&mut wrong);
    }
    let span = sources.first().map_or_else(Span::default, |source| Span {
        file: source.file.clone(),
        line: 1,
        column: 1,
        ..Span::default()
    });
    (Node { span, tree: Tree::Map(merged.sections) }, found)
}

#[derive(Default)]
struct Merged {
    sections: Vec<Entry>,
}

impl Merged {
    fn take(&mut self, document: Node, found: &mut Vec<Diagnostic>) {
        let Tree::Map(entries) = document.tree else { return };
        for entry in entries {
            match self.sections.iter_mut().find(|known| known.key == entry.key) {
                None => self.sections.push(entry),
                Some(known) if SPREAD.contains(&known.key.as_str()) => join(known, entry, found),
                Some(known) if known.key == "cardan" => {}
                Some(known) => found.push(twice(code::SECTION_TWICE, "section", known, &entry)),
            }
        }
    }
}

/// Adds the names of `more` to those of `known`.
fn join(known: &mut Entry, more: Entry, found: &mut Vec<Diagnostic>) {
    let (Tree::Map(names), Tree::Map(more)) = (&mut known.value.tree, more.value.tree) else { return };
    let there: HashMap<String, usize> =
        names.iter().enumerate().map(|(at, name)| (name.key.clone(), at)).collect();
    for entry in more {
        match there.get(&entry.key) {
            Some(first) => found.push(twice(code::NAME_TWICE, "name", &names[*first], &entry)),
            None => names.push(entry),
        }
    }
}

fn twice(code: &'static str, what: &str, first: &Entry, second: &Entry) -> Diagnostic {
    let Span { file, line, column, .. } = &first.key_span;
    let message = format!("the {what} `{}` is in two files", second.key);
    Diagnostic::error(code, &second.key_span, message)
        .help(format!("the first stands at {file}:{line}:{column}; keep one"))
}
