//! The same description as a Markdown page.

use std::collections::{BTreeSet, VecDeque};
use std::fmt::Write;

use super::{Field, Kind, Shape};

impl Shape {
    /// A Markdown reference: a table of keys for each mapping, each under its path.
    pub fn reference(&self, title: &str) -> String {
        let mut page = Page { out: format!("# {title}\n"), named: BTreeSet::new(), later: VecDeque::new() };
        if let Some(doc) = &self.doc {
            let _ = write!(page.out, "\n{doc}\n");
        }
        page.section("", self);
        while let Some((name, make)) = page.later.pop_front() {
            let _ = write!(page.out, "\n## A {name}\n");
            page.section("", &make());
        }
        page.out
    }
}

type Named = (&'static str, fn() -> Shape);

struct Page {
    out: String,
    named: BTreeSet<&'static str>,
    later: VecDeque<Named>,
}

impl Page {
    /// Writes the tables of everything below `shape`, which stands at `path`.
    fn section(&mut self, path: &str, shape: &Shape) {
        match &*shape.kind {
            Kind::Object { fields, .. } => self.object(path, fields),
            Kind::Map { name, of, .. } => self.section(&join(path, &format!("<{name}>")), of),
            Kind::List { of, .. } => self.section(&format!("{path}[]"), of),
            Kind::OneOf(shapes) => shapes.iter().for_each(|shape| self.section(path, shape)),
            Kind::Lazy { name, make } if self.named.insert(name) => self.later.push_back((name, *make)),
            _ => {}
        }
    }

    fn object(&mut self, path: &str, fields: &[Field]) {
        if !path.is_empty() {
            let _ = write!(self.out, "\n### `{path}`\n");
        }
        self.out.push_str("\n| key | value | default | what it is |\n|---|---|---|---|\n");
        fields.iter().for_each(|field| self.row(field));
        for field in fields {
            self.section(&join(path, &field.name), &field.shape);
        }
    }

    fn row(&mut self, field: &Field) {
        let default = match (&field.default, field.required) {
            (Some(serde_json::Value::String(text)), _) => format!("`{text}`"),
            (Some(value), _) => format!("`{value}`"),
            (None, true) => "required".to_owned(),
            (None, false) => "–".to_owned(),
        };
        let mut words = field.words().to_owned();
        if let Some(instead) = &field.deprecated {
            let _ = write!(words, " (deprecated: {instead})");
        }
        for example in &field.shape.examples {
            let example = example.as_str().map_or(example.to_string(), str::to_owned);
            let _ = write!(words, "; for example `{example}`");
        }
        let cells =
            [field.shape.words(), default, words.trim().to_owned()].map(|cell| cell.replace('|', "\\|"));
        let [value, default, words] = cells;
        let _ = writeln!(self.out, "| `{}` | {value} | {default} | {words} |", field.name);
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}
