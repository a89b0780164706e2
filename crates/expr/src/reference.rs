//! What an expression reads.

use diag::Span;

/// One path an expression reads, as far as it is written out: `steps.reserve[0].id` reads `steps`, `reserve`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The root's name.
    pub root: String,
    /// The fields below it, up to the first computed index.
    pub path: Vec<String>,
    /// Where the root's name is written.
    pub span: Span,
}
