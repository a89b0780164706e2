//! One expression, compiled once.

use diag::{Diagnostic, Span};
use serde_json::Value;

use crate::{Error, Names, Reference, Scope, Ty};

/// A compiled expression.
#[derive(Clone, Debug)]
pub struct Program {}

impl Program {
    /// Compiles `src`, which is written at `span`, against the known names. Every mistake is reported.
    pub fn compile(src: &str, span: &Span, names: &Names) -> Result<Self, Vec<Diagnostic>> {
        let _ = (src, span, names);
        unimplemented!("lands next")
    }

    /// The value of the expression.
    pub fn eval(&self, scope: &Scope<'_>) -> Result<Value, Error> {
        let _ = scope;
        unimplemented!("lands next")
    }

    /// The truth of the expression; a value that is not a boolean is an error.
    pub fn test(&self, scope: &Scope<'_>) -> Result<bool, Error> {
        let _ = scope;
        unimplemented!("lands next")
    }

    /// What it reads.
    pub fn references(&self) -> &[Reference] {
        unimplemented!("lands next")
    }

    /// What it is known to yield.
    pub fn ty(&self) -> &Ty {
        unimplemented!("lands next")
    }

    /// What deserves a look although it compiles: conditions that are always true or always false.
    pub fn warnings(&self) -> &[Diagnostic] {
        unimplemented!("lands next")
    }

    /// The text it was compiled from.
    pub fn source(&self) -> &str {
        unimplemented!("lands next")
    }
}
