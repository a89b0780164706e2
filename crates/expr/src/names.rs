//! The roots an expression may use.

use crate::Ty;

/// The roots that are known where an expression stands (`entity`, `steps`, `result`, …) with their types.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Names {
    roots: Vec<(String, Ty)>,
}

impl Names {
    /// No roots.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a root, or replaces the one of that name.
    #[must_use]
    pub fn root(mut self, name: impl Into<String>, ty: Ty) -> Self {
        let name = name.into();
        self.roots.retain(|(known, _)| *known != name);
        self.roots.push((name, ty));
        self
    }

    /// These names and one more: the scope of a loop body or of a compensation.
    #[must_use]
    pub fn with(&self, name: impl Into<String>, ty: Ty) -> Self {
        self.clone().root(name, ty)
    }

    /// The type of a root.
    pub fn get(&self, name: &str) -> Option<&Ty> {
        self.roots.iter().find(|(known, _)| known == name).map(|(_, ty)| ty)
    }

    /// The names of the roots, in the order they were added.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.roots.iter().map(|(name, _)| name.as_str())
    }
}
