//! The documents an expression reads when it is evaluated.

use serde_json::Value;

use crate::Reference;

/// Binds root names to borrowed documents. Nothing is copied when binding.
///
/// Values marked sensitive take part in the evaluation but never appear in the text of an error.
#[derive(Clone, Debug, Default)]
pub struct Scope<'a> {
    roots: Vec<(&'a str, &'a Value)>,
    sensitive: Vec<(&'a str, &'a str)>,
}

impl<'a> Scope<'a> {
    /// Binds nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Binds a root; a later binding of the same name hides an earlier one.
    #[must_use]
    pub fn bind(mut self, root: &'a str, value: &'a Value) -> Self {
        self.roots.push((root, value));
        self
    }

    /// Marks what is at an RFC 6901 `pointer` below `root` as sensitive; `""` marks the whole document.
    #[must_use]
    pub fn sensitive(mut self, root: &'a str, pointer: &'a str) -> Self {
        self.sensitive.push((root, pointer));
        self
    }

    /// The document bound to a root.
    pub fn get(&self, root: &str) -> Option<&'a Value> {
        self.roots.iter().rev().find(|(name, _)| *name == root).map(|(_, value)| *value)
    }

    /// Whether any of the paths leads to, into or past something sensitive.
    pub(crate) fn hides_any(&self, references: &[Reference]) -> bool {
        references.iter().any(|reference| {
            self.sensitive
                .iter()
                .any(|(root, pointer)| *root == reference.root && overlaps(pointer, &reference.path))
        })
    }
}

/// Whether one of the two paths begins with the other.
fn overlaps(pointer: &str, path: &[String]) -> bool {
    let tokens = pointer.split('/').skip(1);
    tokens.zip(path).all(|(token, field)| token.replace("~1", "/").replace("~0", "~") == *field)
}
