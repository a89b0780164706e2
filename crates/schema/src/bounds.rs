//! What a schema may cost: measured by writing out its references, before it is compiled.
//!
//! A schema that refers to itself cannot be written out and is refused. So each part of a value is asked about at most
//! [`MOST`] times, whatever the value is, and no nesting of a value makes the check recurse deeper than [`DEEPEST`].

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::Mistake;
use crate::keyword::{DIALECT, FORMATS, Holds, holds};

/// The longest schema, in bytes of JSON.
pub const LONGEST: usize = 64 * 1024;
/// How deep schemas may stand in one another, references written out.
pub const DEEPEST: usize = 48;
/// How many schemas there may be, references written out.
pub const MOST: usize = 4096;

/// Everything that is wrong with a document.
pub(crate) fn check(document: &Value) -> Result<(), Vec<Mistake>> {
    if document.to_string().len() > LONGEST {
        let says = format!("the schema is longer than {LONGEST} bytes");
        return Err(vec![Mistake::new("", says, "say less, or leave parts of it open")]);
    }
    let mut walk = Walk { document, known: HashMap::new(), found: Vec::new() };
    let size = walk.schema(document, "", 0);
    if size.count > MOST {
        let says = format!("there are more than {MOST} schemas when its references are written out");
        walk.found.push(Mistake::new("", says, "say less, or leave parts of it open"));
    }
    if walk.found.is_empty() { Ok(()) } else { Err(walk.found) }
}

/// How large a schema is, references written out.
#[derive(Clone, Copy, Default)]
struct Size {
    count: usize,
    height: usize,
}

impl Size {
    fn and(self, other: Self) -> Self {
        Self { count: self.count.saturating_add(other.count), height: self.height.max(other.height) }
    }
}

struct Walk<'a> {
    document: &'a Value,
    /// What references lead to; nothing yet while it is being looked at.
    known: HashMap<&'a str, Option<Size>>,
    found: Vec<Mistake>,
}

impl<'a> Walk<'a> {
    fn refuse(&mut self, pointer: &str, says: impl Into<String>, help: impl Into<String>) {
        let mistake = Mistake::new(pointer, says, help);
        // What is referred to is looked at once for each reference.
        if !self.found.contains(&mistake) {
            self.found.push(mistake);
        }
    }

    fn schema(&mut self, schema: &'a Value, pointer: &str, depth: usize) -> Size {
        let keywords = match schema {
            Value::Bool(_) => return Size { count: 1, height: 1 },
            Value::Object(keywords) => keywords,
            _ => {
                self.refuse(pointer, "this is not a JSON Schema", "write a mapping, or true for anything");
                return Size::default();
            }
        };
        if depth >= DEEPEST {
            return self.too_deep(pointer);
        }
        let mut parts = Size::default();
        for (keyword, value) in keywords {
            let inside = push(pointer, keyword);
            parts = parts.and(self.keyword(keyword, value, &inside, depth + 1));
        }
        Size { count: parts.count.saturating_add(1), height: parts.height + 1 }
    }

    fn too_deep(&mut self, pointer: &str) -> Size {
        let says = format!("schemas stand more than {DEEPEST} deep in one another");
        self.refuse(pointer, says, "leave what is deeper open");
        Size::default()
    }

    fn keyword(&mut self, keyword: &str, value: &'a Value, inside: &str, depth: usize) -> Size {
        match holds(keyword) {
            Some(Holds::Schema) => self.schema(value, inside, depth),
            Some(Holds::Schemas) => {
                let items = value.as_array().map_or(&[][..], Vec::as_slice).iter().enumerate();
                items.fold(Size::default(), |size, (at, item)| {
                    size.and(self.schema(item, &push(inside, &at.to_string()), depth))
                })
            }
            Some(Holds::Named) => self.named(value.as_object(), inside, depth),
            // Looked at for mistakes; it costs where something refers to it.
            Some(Holds::Definitions) => {
                self.named(value.as_object(), inside, depth);
                Size::default()
            }
            Some(Holds::Reference) => self.reference(value, inside, depth),
            Some(Holds::Format) => self.format(value, inside),
            Some(Holds::Dialect) => self.dialect(value, inside),
            Some(Holds::Value) => Size::default(),
            None => {
                let help = "it would not be enforced: remove it, or begin its name with `x-`";
                self.refuse(inside, format!("`{keyword}` is no keyword that is known here"), help);
                Size::default()
            }
        }
    }

    fn named(&mut self, schemas: Option<&'a Map<String, Value>>, inside: &str, depth: usize) -> Size {
        let schemas = schemas.into_iter().flatten();
        schemas.fold(Size::default(), |size, (name, schema)| {
            size.and(self.schema(schema, &push(inside, name), depth))
        })
    }

    fn reference(&mut self, value: &'a Value, inside: &str, depth: usize) -> Size {
        let help = "only a part of the same schema can be referred to: `#/$defs/NAME`";
        let Some(target) = value.as_str().and_then(|text| text.strip_prefix('#')) else {
            self.refuse(inside, "the reference leads out of the schema", help);
            return Size::default();
        };
        let Some(schema) = self.document.pointer(target) else {
            self.refuse(inside, "the reference leads nowhere", help);
            return Size::default();
        };
        match self.known.get(target) {
            Some(Some(size)) if depth + size.height <= DEEPEST => *size,
            Some(Some(_)) => self.too_deep(inside),
            Some(None) => {
                let help = "write out as many levels as are needed, and leave the next open";
                self.refuse(inside, "the schema refers to itself", help);
                Size::default()
            }
            None => {
                self.known.insert(target, None);
                let size = self.schema(schema, target, depth);
                self.known.insert(target, Some(size));
                size
            }
        }
    }

    fn format(&mut self, value: &Value, inside: &str) -> Size {
        if !value.as_str().is_some_and(|name| FORMATS.contains(&name)) {
            let help = format!("known: {}; write a `description` for people", FORMATS.join(", "));
            self.refuse(inside, format!("the format {value} is not known"), help);
        }
        Size::default()
    }

    fn dialect(&mut self, value: &Value, inside: &str) -> Size {
        if value.as_str().map(|text| text.trim_end_matches('#')) != Some(DIALECT) {
            self.refuse(inside, "this dialect is not spoken here", format!("write {DIALECT}, or nothing"));
        }
        Size::default()
    }
}

fn push(pointer: &str, token: &str) -> String {
    format!("{pointer}/{}", token.replace('~', "~0").replace('/', "~1"))
}
