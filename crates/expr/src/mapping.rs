//! A YAML tree whose scalars may hold `${ … }`.

use diag::{Diagnostic, Node};
use serde_json::Value;

use crate::{Error, Names, Reference, Scope, Ty};

/// A compiled tree: its shape comes from YAML, its values from `${ … }`.
///
/// A scalar that is one `${ … }` keeps the value's type; a scalar that mixes text and `${ … }` becomes text;
/// `$${` writes a plain `${`. Data is never evaluated again.
#[derive(Clone, Debug)]
pub struct Mapping {}

impl Mapping {
    /// Compiles every scalar of the tree. Every mistake is reported.
    pub fn compile(node: &Node, names: &Names) -> Result<Self, Vec<Diagnostic>> {
        let _ = (node, names);
        unimplemented!("lands next")
    }

    /// Compiles one built-in text that no file holds.
    pub fn text(text: &str, names: &Names) -> Result<Self, Vec<Diagnostic>> {
        Self::compile(&Node::from_json(&Value::from(text)), names)
    }

    /// The tree with every `${ … }` replaced by its value.
    pub fn eval(&self, scope: &Scope<'_>) -> Result<Value, Error> {
        let _ = scope;
        unimplemented!("lands next")
    }

    /// Whether it holds no `${ … }`, so that it has the same value in every scope.
    pub fn is_literal(&self) -> bool {
        unimplemented!("lands next")
    }

    /// What it reads.
    pub fn references(&self) -> Vec<&Reference> {
        unimplemented!("lands next")
    }

    /// What it is known to yield.
    pub fn ty(&self) -> Ty {
        unimplemented!("lands next")
    }

    /// What deserves a look although it compiles.
    pub fn warnings(&self) -> Vec<&Diagnostic> {
        unimplemented!("lands next")
    }
}
