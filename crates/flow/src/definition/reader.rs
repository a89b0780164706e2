//! What the readers of task kinds share: known names, found mistakes, the names in scope.

use std::collections::{BTreeMap, BTreeSet};

use diag::{Diagnostic, Node, Span};
use expr::{Mapping, Names, Program, Ty};

use super::Known;

/// Reads one flow, collecting every mistake.
pub(super) struct Reader<'k> {
    pub(super) known: &'k Known,
    pub(super) found: Vec<Diagnostic>,
    /// What the steps start, as far as that is written out.
    pub(super) starts: Vec<super::circles::Start>,
    names: Names,
    steps: BTreeMap<String, Ty>,
    taken: BTreeSet<String>,
    /// Every key of the flow, among them the names of its steps.
    written: BTreeSet<String>,
    count: usize,
}

impl<'k> Reader<'k> {
    pub(super) fn new(known: &'k Known, flow: &Node) -> Self {
        let run = ["id", "flow", "tenant", "conversation", "commit", "started"].map(|name| (name, Ty::Text));
        let names = Names::new()
            .root("entity", Ty::Any)
            .root("act", Ty::Any)
            .root("input", Ty::Any)
            .root("vars", Ty::Any)
            .root("run", Ty::closed(run));
        let (steps, taken, mut written) = (BTreeMap::new(), BTreeSet::new(), BTreeSet::new());
        keys(flow, &mut written);
        Self { known, found: Vec::new(), starts: Vec::new(), names, steps, taken, written, count: 0 }
    }

    /// The names in scope here.
    pub(super) fn names(&self) -> Names {
        self.names.with("steps", Ty::Map { fields: self.steps.clone(), open: false })
    }

    pub(super) fn mapping(&mut self, node: &Node) -> Option<Mapping> {
        let compiled = Mapping::compile(node, &self.names());
        match compiled {
            Ok(mapping) => {
                self.found.extend(mapping.warnings().into_iter().cloned());
                Some(mapping)
            }
            Err(found) => {
                self.found.extend(found);
                None
            }
        }
    }

    /// A condition, written bare or as one `${ … }`.
    pub(super) fn condition(&mut self, node: &Node) -> Option<Program> {
        let (text, span) = match &node.tree {
            diag::Tree::Bool(flag) => (flag.to_string(), node.span.clone()),
            _ => bare(node.text()?, &node.span),
        };
        match Program::compile(&text, &span, &self.names()) {
            Ok(program) => {
                self.found.extend(program.warnings().iter().cloned());
                Some(program)
            }
            Err(found) => {
                self.found.extend(found);
                None
            }
        }
    }

    /// Reads with one more name in scope.
    pub(super) fn within<T>(&mut self, name: &str, ty: Ty, read: impl FnOnce(&mut Self) -> T) -> T {
        let names = self.names.clone();
        self.names = self.names.with(name, ty);
        let done = read(self);
        self.names = names;
        done
    }

    /// Makes a step's output known to what follows.
    pub(super) fn learn(&mut self, name: &str, ty: Ty) {
        self.steps.insert(name.to_owned(), ty);
    }

    /// Takes a step's name; twice the same is a mistake.
    pub(super) fn take(&mut self, name: &str, span: &Span) {
        if !self.taken.insert(name.to_owned()) {
            let said = format!("step `{name}` is there already");
            self.error("FLOW003", span, said, "every step of a flow has its own name, nested ones too");
        }
    }

    /// A name for a step that has none of its own, and that no other step has.
    pub(super) fn numbered(&mut self, verb: &str) -> String {
        loop {
            self.count += 1;
            let name = format!("{verb}_{}", self.count);
            if !self.written.contains(&name) {
                return name;
            }
        }
    }

    pub(super) fn error(
        &mut self,
        code: &'static str,
        span: &Span,
        said: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.found.push(Diagnostic::error(code, span, said).help(help));
    }

    pub(super) fn warn(
        &mut self,
        code: &'static str,
        span: &Span,
        said: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.found.push(Diagnostic::warning(code, span, said).help(help));
    }

    /// Says that a name is not known, and which one was meant.
    pub(super) fn unknown<'n>(
        &mut self,
        code: &'static str,
        span: &Span,
        what: &str,
        name: &str,
        names: impl Iterator<Item = &'n str>,
    ) {
        let names: Vec<&str> = names.collect();
        let help = match diag::nearest(name, names.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("known are {}", diag::quoted(&names)),
        };
        self.error(code, span, format!("unknown {what} `{name}`"), help);
    }
}

fn keys(node: &Node, found: &mut BTreeSet<String>) {
    for entry in node.entries() {
        found.insert(entry.key.clone());
        keys(&entry.value, found);
    }
    for item in node.items() {
        keys(item, found);
    }
}

/// `${ x }` without its braces; the span follows the text.
fn bare(text: &str, span: &Span) -> (String, Span) {
    let trimmed = text.trim();
    let inner = trimmed.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
    match inner {
        Some(inner) if !inner.contains("${") => {
            let shift = text.len() - text.trim_start().len() + 2;
            let column = span.column + u32::try_from(shift).unwrap_or(0);
            (inner.to_owned(), Span { column, start: span.start + shift, ..span.clone() })
        }
        _ => (text.to_owned(), span.clone()),
    }
}
