//! The text of one expression and where it stands in its file.

use std::sync::Arc;

use diag::{Diagnostic, Span};

use crate::Error;
use crate::code::Code;
use crate::fail::Fail;
use crate::tree::At;

/// An expression's text inside a scalar: `text[at]` can be pointed at in the file when the scalar was written on
/// one line without escapes, and in an excerpt otherwise.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) text: Arc<str>,
    span: Span,
    exact: bool,
}

impl Source {
    /// The text is the whole scalar written at `span`.
    pub(crate) fn new(text: &str, span: &Span) -> Self {
        Self::inside(text, 0..text.len(), span)
    }

    /// The text is the part `range` of the `scalar` written at `span`.
    pub(crate) fn inside(scalar: &str, range: std::ops::Range<usize>, span: &Span) -> Self {
        let text: Arc<str> = Arc::from(&scalar[range.clone()]);
        let written = span.end.saturating_sub(span.start);
        // The scalar's length says how it was written: plain, or in quotes without escapes.
        let quote = written.wrapping_sub(scalar.len());
        let exact = !span.file.is_empty() && !scalar.contains('\n') && matches!(quote, 0 | 2);
        if !exact {
            return Self { text, span: span.clone(), exact };
        }
        let before = quote / 2 + range.start;
        let columns = quote / 2 + scalar[..range.start].chars().count();
        let start = span.start + before;
        let end = start + text.len();
        let column = span.column + columns as u32;
        Self { text, span: Span { column, start, end, ..span.clone() }, exact }
    }

    /// Where `at` is in the file; the scalar's place when that is not known exactly.
    pub(crate) fn span(&self, at: At) -> Span {
        if !self.exact {
            return self.span.clone();
        }
        let columns = self.text.get(..at.start).map_or(0, |before| before.chars().count());
        Span {
            column: self.span.column + columns as u32,
            start: self.span.start + at.start,
            end: self.span.start + at.end.max(at.start),
            ..self.span.clone()
        }
    }

    /// The line of the expression that holds `at`, and a line with carets below it.
    pub(crate) fn excerpt(&self, at: At) -> String {
        let start = at.start.min(self.text.len());
        let line_start = self.text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let line = self.text[line_start..].lines().next().unwrap_or_default();
        let before = self.text[line_start..start].chars().count();
        let marked = self.text.get(start..at.end).map_or(1, |marked| marked.chars().count());
        let carets = marked.clamp(1, line.chars().count().saturating_sub(before).max(1));
        format!("{line}\n{}{}", " ".repeat(before), "^".repeat(carets))
    }

    /// A mistake at `at`. Where the file's excerpt cannot show the place, the help lines do.
    pub(crate) fn error(&self, code: Code, at: At, message: impl Into<String>) -> Diagnostic {
        self.pointed(Diagnostic::error(code.text(), &self.span(at), message), at)
    }

    /// A mistake found when compiling.
    pub(crate) fn refusal(&self, fail: &Fail) -> Diagnostic {
        let diagnostic = self.error(fail.code, fail.at.unwrap_or_default(), fail.text(false));
        fail.help.iter().fold(diagnostic, |diagnostic, help| diagnostic.help(help))
    }

    /// Something worth knowing at `at`.
    pub(crate) fn warning(&self, code: Code, at: At, message: impl Into<String>) -> Diagnostic {
        self.pointed(Diagnostic::warning(code.text(), &self.span(at), message), at)
    }

    fn pointed(&self, diagnostic: Diagnostic, at: At) -> Diagnostic {
        if self.exact || self.text.trim().is_empty() {
            return diagnostic;
        }
        self.excerpt(at).lines().fold(diagnostic, |diagnostic, line| diagnostic.help(line))
    }

    /// A failed evaluation, for the outside.
    pub(crate) fn failure(&self, fail: &Fail, sensitive: bool) -> Error {
        let at = fail.at.unwrap_or_default();
        Error {
            code: fail.code.text(),
            message: fail.text(sensitive),
            span: self.span(at),
            help: fail.help.iter().cloned().collect(),
            excerpt: self.excerpt(at).into(),
        }
    }
}
