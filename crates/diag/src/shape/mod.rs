//! One description of a piece of configuration: checked, published as JSON Schema, printed as reference.
//!
//! ```
//! use diag::{Field, Shape, parse};
//!
//! let shape = Shape::object([
//!     Field::new("url", Shape::text()).required().doc("where the system answers"),
//!     Field::new("timeout", Shape::duration()).default("30s").doc("how long one attempt may take"),
//! ]);
//! let found = shape.check(&parse("crm.yaml", "url: http://localhost\ntimout: 3s\n").unwrap());
//! assert_eq!(found[0].message, "unknown key `timout`");
//! assert_eq!(found[0].help[0], "did you mean `timeout`?");
//! ```

mod check;
mod field;
mod pick;
mod reference;
mod scalar;
mod schema;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use regex::Regex;
use serde_json::Value;

pub use field::Field;

/// What a value may be. Built by the constructors below; used by [`Shape::check`], [`Shape::json_schema`] and
/// [`Shape::reference`].
#[derive(Clone, Debug)]
pub struct Shape {
    pub(crate) kind: Arc<Kind>,
    pub(crate) doc: Option<String>,
    pub(crate) examples: Vec<Value>,
}

#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Any,
    Null,
    Bool,
    Text { form: Option<Form> },
    Choice(Vec<String>),
    Int { min: i64, max: i64 },
    Number { min: f64, max: f64 },
    Duration,
    Size,
    Expr,
    Secret,
    List { of: Box<Shape>, min: usize, max: usize },
    Map { name: &'static str, form: Option<Form>, of: Box<Shape>, min: usize, max: usize },
    Object { fields: Vec<Field>, one_key_of: Vec<Vec<String>> },
    OneOf(Vec<Shape>),
    Lazy { name: &'static str, make: fn() -> Shape },
}

/// The form of a text: a regular expression, and the words that explain it.
#[derive(Clone, Debug)]
pub(crate) struct Form {
    pub(crate) regex: Regex,
    pub(crate) words: String,
}

impl Form {
    fn new(pattern: &str, words: &str) -> Self {
        let regex = Regex::new(pattern).unwrap_or_else(|error| panic!("pattern of {words}: {error}"));
        Self { regex, words: words.to_owned() }
    }
}

impl Shape {
    fn of(kind: Kind) -> Self {
        Self { kind: Arc::new(kind), doc: None, examples: Vec::new() }
    }

    /// Anything at all; whoever reads it checks it.
    pub fn any() -> Self {
        Self::of(Kind::Any)
    }

    /// Nothing (`null`, or a key without a value).
    pub fn null() -> Self {
        Self::of(Kind::Null)
    }

    /// `true` or `false`.
    pub fn bool() -> Self {
        Self::of(Kind::Bool)
    }

    /// Text. A number or `true` must be quoted to be text.
    pub fn text() -> Self {
        Self::of(Kind::Text { form: None })
    }

    /// Exactly one of these words.
    pub fn choice<W: Into<String>>(words: impl IntoIterator<Item = W>) -> Self {
        Self::of(Kind::Choice(words.into_iter().map(Into::into).collect()))
    }

    /// A whole number in `range`.
    pub fn int(range: std::ops::RangeInclusive<i64>) -> Self {
        Self::of(Kind::Int { min: *range.start(), max: *range.end() })
    }

    /// A number in `range`, whole or not.
    pub fn number(range: std::ops::RangeInclusive<f64>) -> Self {
        Self::of(Kind::Number { min: *range.start(), max: *range.end() })
    }

    /// A length of time: `250ms`, `3s`, `5m`, `1h`, `1d`, `1m30s`. Read with [`crate::Node::duration`].
    pub fn duration() -> Self {
        Self::of(Kind::Duration)
    }

    /// A number of bytes: `512B`, `64KiB`, `1MiB`, `2GiB`. Read with [`crate::Node::size`].
    pub fn size() -> Self {
        Self::of(Kind::Size)
    }

    /// Text that may hold `${ … }`; the expressions in it are checked by whoever compiles them.
    pub fn expr() -> Self {
        Self::of(Kind::Expr)
    }

    /// A handle, `{ secret: NAME }`; never the secret itself. Read with [`crate::Node::secret`].
    pub fn secret() -> Self {
        Self::of(Kind::Secret)
    }

    /// A list whose items are all `of`.
    pub fn list(of: Shape) -> Self {
        Self::of(Kind::List { of: Box::new(of), min: 0, max: usize::MAX })
    }

    /// A mapping from free names to `of`; `name` says what the names are names of (`system`).
    pub fn map(name: &'static str, of: Shape) -> Self {
        Self::of(Kind::Map { name, form: None, of: Box::new(of), min: 0, max: usize::MAX })
    }

    /// A mapping with exactly these keys.
    pub fn object(fields: impl IntoIterator<Item = Field>) -> Self {
        Self::of(Kind::Object { fields: fields.into_iter().collect(), one_key_of: Vec::new() })
    }

    /// One of several shapes. Which one is told by the value's type and, among objects, by which one's first
    /// field is there; a map among them takes a mapping with one key that is no object's first field.
    pub fn one_of(shapes: impl IntoIterator<Item = Shape>) -> Self {
        Self::of(Kind::OneOf(shapes.into_iter().collect()))
    }

    /// A shape that may hold itself. `name` names it in the JSON Schema and in the reference.
    pub fn lazy(name: &'static str, make: fn() -> Shape) -> Self {
        Self::of(Kind::Lazy { name, make })
    }

    /// Says what it is for. One sentence.
    #[must_use]
    pub fn doc(mut self, doc: impl Into<String>) -> Self {
        self.doc = Some(doc.into());
        self
    }

    /// Shows one right value.
    #[must_use]
    pub fn example(mut self, value: impl Into<Value>) -> Self {
        self.examples.push(value.into());
        self
    }

    /// Asks a text, or the keys of a map, to match a regular expression. `words` explain it in an error:
    /// `a name of letters, digits, - and _`.
    ///
    /// # Panics
    /// When `pattern` is no regular expression, or this is neither a text nor a map.
    #[must_use]
    pub fn pattern(mut self, pattern: &str, words: &str) -> Self {
        match Arc::make_mut(&mut self.kind) {
            Kind::Text { form } | Kind::Map { form, .. } => *form = Some(Form::new(pattern, words)),
            other => panic!("a pattern is for texts and maps, not for {other:?}"),
        }
        self
    }

    /// Bounds the length of a list or map.
    ///
    /// # Panics
    /// When this is neither a list nor a map.
    #[must_use]
    pub fn length(mut self, range: std::ops::RangeInclusive<usize>) -> Self {
        match Arc::make_mut(&mut self.kind) {
            Kind::List { min, max, .. } | Kind::Map { min, max, .. } => (*min, *max) = range.into_inner(),
            other => panic!("a length is for lists and maps, not for {other:?}"),
        }
        self
    }

    /// Asks an object for exactly one of these keys (each must also be a field).
    ///
    /// # Panics
    /// When this is no object.
    #[must_use]
    pub fn exactly_one_of<K: Into<String>>(mut self, keys: impl IntoIterator<Item = K>) -> Self {
        match Arc::make_mut(&mut self.kind) {
            Kind::Object { one_key_of, .. } => one_key_of.push(keys.into_iter().map(Into::into).collect()),
            other => panic!("only an object has keys, not {other:?}"),
        }
        self
    }

    /// The keys of an object, in order; of anything else none.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        let fields = match &*self.kind {
            Kind::Object { fields, .. } => fields.as_slice(),
            _ => &[],
        };
        fields.iter().map(|field| field.name.as_str())
    }

    /// Adds fields to an object.
    ///
    /// # Panics
    /// When this is no object.
    #[must_use]
    pub fn with(mut self, more: impl IntoIterator<Item = Field>) -> Self {
        match Arc::make_mut(&mut self.kind) {
            Kind::Object { fields, .. } => fields.extend(more),
            other => panic!("only an object has fields, not {other:?}"),
        }
        self
    }
}
