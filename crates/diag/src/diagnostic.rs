//! One thing that is wrong, where, and what would be right.

use std::ops::Range;

use crate::Span;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing; the configuration works.
    Warning,
    /// The configuration is refused.
    Error,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnostic {
    /// Error or warning.
    pub severity: Severity,
    /// A stable code (`CFG004`, `FLOW012`, `EXPR003`), explained in `docs/reference/errors.md`.
    pub code: &'static str,
    /// What is wrong: lowercase, no dot. Never a secret.
    pub message: String,
    /// Where.
    pub span: Span,
    /// What would be right, each on its own line.
    pub help: Vec<String>,
    /// Bytes of the source that no excerpt may show, because a secret may stand there.
    pub hidden: Option<Range<usize>>,
}

impl Diagnostic {
    /// A mistake that must be mended.
    pub fn error(code: &'static str, span: &Span, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            code,
            message: message.into(),
            span: span.clone(),
            help: Vec::new(),
            hidden: None,
        }
    }

    /// Something worth knowing.
    pub fn warning(code: &'static str, span: &Span, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, span, message) }
    }

    /// Adds a line that says what would be right.
    #[must_use]
    pub fn help(mut self, line: impl Into<String>) -> Self {
        self.help.push(line.into());
        self
    }

    /// Keeps what stands at `span` out of every excerpt.
    #[must_use]
    pub fn hiding(mut self, span: &Span) -> Self {
        self.hidden = Some(span.start..span.end);
        self
    }
}
