//! The same description as a Markdown page.

use std::collections::{BTreeSet, VecDeque};
use std::fmt::Write;

use super::{Field, Kind, Shape};

impl Shape {
    /// A Markdown reference: a table of keys for each mapping, each under its path.
    pub fn reference(&self, title: &str) -> String {
        let mut page = Page {
            out: format!("# {title}\n"),
            named: BTreeSet::new(),
            told: BTreeSet::new(),
            later: VecDeque::new(),
        };
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
    /// The tables that are there already, each with its heading.
    told: BTreeSet<String>,
    later: VecDeque<Named>,
}

impl Page {
    /// Writes the tables of everything below `shape`, which stands at `path`.
    fn section(&mut self, path: &str, shape: &Shape) {
        match &*shape.kind {
            Kind::Object { fields, .. } => self.object(path, fields),
            Kind::Map { name, of, .. } => self.section(&join(path, &format!("<{name}>")), of),
            Kind::List { of, .. } => self.section(&format!("{path}[]"), of),
            Kind::OneOf(shapes) => self.one_of(path, shapes),
            Kind::Lazy { name, make } if self.named.insert(name) => self.later.push_back((name, *make)),
            _ => {}
        }
    }

    /// Objects that are told apart by their first key get a heading each; keys that all of them have come once, last.
    fn one_of(&mut self, path: &str, shapes: &[Shape]) {
        let objects = objects(shapes);
        if objects.len() < 2 {
            return shapes.iter().for_each(|shape| self.section(path, shape));
        }
        let everywhere = |field: &&Field| {
            objects.iter().all(|fields| fields.iter().skip(1).any(|other| other.name == field.name))
        };
        for fields in &objects {
            let own: Vec<&Field> = fields.iter().filter(|field| !everywhere(field)).collect();
            let heading = match path {
                "" => format!("With `{}`", tag(fields)),
                path => format!("`{path}` with `{}`", tag(fields)),
            };
            self.table(path, &heading, &own);
        }
        let common: Vec<&Field> = objects[0].iter().filter(everywhere).collect();
        if !common.is_empty() {
            self.table(path, "Beside each of these", &common);
        }
        for shape in shapes {
            match &*shape.kind {
                Kind::Object { .. } => {}
                Kind::Map { name, of, .. } if is_same(of, &objects) => {
                    let _ =
                        write!(self.out, "\nOr one of these under a name of its own: `<{name}>: {{ … }}`.\n");
                }
                _ => self.section(path, shape),
            }
        }
    }

    fn object(&mut self, path: &str, fields: &[Field]) {
        self.table(path, &code(path), &fields.iter().collect::<Vec<_>>());
    }

    /// A table under its heading, then what is below its keys; both once, however often they apply.
    fn table(&mut self, path: &str, heading: &str, fields: &[&Field]) {
        let mut table = String::new();
        if !heading.is_empty() {
            let _ = write!(table, "\n### {heading}\n");
        }
        table.push_str("\n| key | value | default | what it is |\n|---|---|---|---|\n");
        fields.iter().for_each(|field| table.push_str(&row(field)));
        if !heading.is_empty() && !self.told.insert(table.clone()) {
            return;
        }
        self.out.push_str(&table);
        for field in fields {
            self.section(&join(path, &field.name), &field.shape);
        }
    }
}

fn row(field: &Field) -> String {
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
    let cells = [field.shape.words(), default, words.trim().to_owned()].map(|cell| cell.replace('|', "\\|"));
    let [value, default, words] = cells;
    format!("| `{}` | {value} | {default} | {words} |\n", field.name)
}

fn objects(shapes: &[Shape]) -> Vec<&[Field]> {
    let fields = shapes.iter().filter_map(|shape| match &*shape.kind {
        Kind::Object { fields, .. } => Some(fields.as_slice()),
        _ => None,
    });
    fields.collect()
}

fn tag(fields: &[Field]) -> &str {
    fields.first().map_or("", |field| &field.name)
}

/// Whether `shape` is a choice among the same objects.
fn is_same(shape: &Shape, among: &[&[Field]]) -> bool {
    let Kind::OneOf(shapes) = &*shape.kind else { return false };
    objects(shapes).into_iter().map(tag).eq(among.iter().map(|fields| tag(fields)))
}

fn code(path: &str) -> String {
    if path.is_empty() { String::new() } else { format!("`{path}`") }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}
