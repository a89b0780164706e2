//! One key of an object.

use serde_json::Value;

use super::Shape;

/// One key of an object shape.
#[derive(Clone, Debug)]
pub struct Field {
    pub(crate) name: String,
    pub(crate) shape: Shape,
    pub(crate) required: bool,
    pub(crate) doc: Option<String>,
    pub(crate) default: Option<Value>,
    pub(crate) deprecated: Option<String>,
}

impl Field {
    /// An optional key.
    pub fn new(name: impl Into<String>, shape: Shape) -> Self {
        Self { name: name.into(), shape, required: false, doc: None, default: None, deprecated: None }
    }

    /// The key must be there.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// Says what the key is for. One sentence; without it the shape's own sentence is shown.
    #[must_use]
    pub fn doc(mut self, doc: impl Into<String>) -> Self {
        self.doc = Some(doc.into());
        self
    }

    /// What holds when the key is not there. Published, not applied: the reader applies it.
    #[must_use]
    pub fn default(mut self, value: impl Into<Value>) -> Self {
        self.default = Some(value.into());
        self
    }

    /// Still read, with a warning; `instead` says what to write (`write `max_attempts``).
    #[must_use]
    pub fn deprecated(mut self, instead: impl Into<String>) -> Self {
        self.deprecated = Some(instead.into());
        self
    }

    pub(crate) fn words(&self) -> &str {
        self.doc.as_deref().or(self.shape.doc.as_deref()).unwrap_or("")
    }
}
