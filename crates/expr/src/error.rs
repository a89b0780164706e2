//! Why an evaluation ended without a value.

use std::fmt;

use diag::{Diagnostic, Span};

/// An evaluation that ended without a value: what happened, where in which file, and what would be right.
#[derive(Clone, Debug, PartialEq)]
pub struct Error {
    /// A stable code (`EXPR101`), explained in the crate's README.
    pub code: &'static str,
    /// What is wrong: lowercase, no dot. Sensitive values are redacted.
    pub message: String,
    /// Where in the file.
    pub span: Span,
    /// What would be right.
    pub help: Vec<String>,
    /// The expression and, below it, a caret at the place.
    pub excerpt: Box<str>,
}

impl Error {
    /// The same error as a diagnostic.
    pub fn to_diagnostic(&self) -> Diagnostic {
        Diagnostic {
            help: self.help.clone(),
            ..Diagnostic::error(self.code, &self.span, self.message.clone())
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.message)
    }
}

impl std::error::Error for Error {}
