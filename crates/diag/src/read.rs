//! Typed readers for values that were checked.

use std::time::Duration;

use crate::{Node, Tree, units};

impl Node {
    /// `true` or `false`.
    pub fn bool(&self) -> Option<bool> {
        match self.tree {
            Tree::Bool(flag) => Some(flag),
            _ => None,
        }
    }

    /// A whole number that is not negative.
    pub fn u64(&self) -> Option<u64> {
        match &self.tree {
            Tree::Number(number) => number.as_u64(),
            _ => None,
        }
    }

    /// Any number.
    pub fn f64(&self) -> Option<f64> {
        match &self.tree {
            Tree::Number(number) => number.as_f64(),
            _ => None,
        }
    }

    /// A duration (`3s`).
    pub fn duration(&self) -> Option<Duration> {
        units::duration(self.text()?).ok()
    }

    /// A number of bytes (`1MiB`).
    pub fn size(&self) -> Option<u64> {
        units::size(self.text()?).ok()
    }

    /// The name in `{ secret: NAME }`, and where it stands.
    pub fn secret(&self) -> Option<(&str, &crate::Span)> {
        let name = self.get("secret")?;
        Some((name.text()?, &name.span))
    }

    /// The texts of a list of texts; what is no text is left out.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.items().iter().filter_map(Node::text)
    }
}
