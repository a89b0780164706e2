//! Shows what was found: for people with an excerpt, for tools as JSON.

use std::borrow::Cow;
use std::fmt::Write;
use std::ops::Range;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use serde_json::{Value, json};

use crate::{Diagnostic, Severity, Span};

/// A text in which places were found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The name that [`Span::file`] carries.
    pub file: Arc<str>,
    /// The text.
    pub text: Arc<str>,
}

/// Whether escape sequences colour the text. It says the same without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// Text only.
    Plain,
    /// For a terminal.
    Styled,
}

/// Shows everything that was found, one after the other: `file:line:col: error[CODE]: message`, the excerpt with
/// carets, the help. What a diagnostic hides is masked in all excerpts.
pub fn render(found: &[Diagnostic], sources: &[Source], colour: Colour) -> String {
    let mut out = String::new();
    for diagnostic in found {
        out.push_str(&first_line(diagnostic));
        let excerpt = excerpt(diagnostic, found, sources, colour);
        if !excerpt.is_empty() {
            out.push_str(&excerpt);
            out.push('\n');
        }
        for line in &diagnostic.help {
            let _ = writeln!(out, "  help: {line}");
        }
        out.push('\n');
    }
    out
}

/// What was found, for tools: a list of `{severity, code, message, file, line, column, start, end, help}`.
pub fn to_json(found: &[Diagnostic]) -> Value {
    found.iter().map(one_to_json).collect()
}

fn one_to_json(found: &Diagnostic) -> Value {
    json!({
        "severity": found.severity.as_str(),
        "code": found.code,
        "message": found.message,
        "file": &*found.span.file,
        "line": found.span.line,
        "column": found.span.column,
        "start": found.span.start,
        "end": found.span.end,
        "help": found.help,
    })
}

fn first_line(found: &Diagnostic) -> String {
    let Span { file, line, column, .. } = &found.span;
    let place = match (file.is_empty(), *line) {
        (true, _) => String::new(),
        (false, 0) => format!("{file}: "),
        (false, _) => format!("{file}:{line}:{column}: "),
    };
    format!("{place}{}[{}]: {}\n", found.severity.as_str(), found.code, found.message)
}

/// The line at fault with carets under the fault; empty when there is no such text.
fn excerpt(found: &Diagnostic, all: &[Diagnostic], sources: &[Source], colour: Colour) -> String {
    let Some(source) = sources.iter().find(|source| source.file == found.span.file) else {
        return String::new();
    };
    let text = &*source.text;
    if found.span.line == 0 || !text.is_char_boundary(found.span.start) || text.is_empty() {
        return String::new();
    }
    let line = line_around(text, found.span.start);
    let shown = masked(text, &line, all.iter().filter(|other| other.span.file == found.span.file));
    let start = found.span.start - line.start;
    let end = found.span.end.clamp(found.span.start, line.end) - line.start;
    let level = match found.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let snippet = Snippet::source(shown)
        .line_start(found.span.line as usize)
        .annotation(AnnotationKind::Primary.span(start..end));
    let renderer = match colour {
        Colour::Plain => Renderer::plain(),
        Colour::Styled => Renderer::styled(),
    };
    renderer.render(&[Group::with_level(level).element(snippet)])
}

fn line_around(text: &str, at: usize) -> Range<usize> {
    let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let end = text[at..].find('\n').map_or(text.len(), |newline| at + newline);
    start..end
}

/// The line with every hidden byte as `*`, so that the places of the others stay.
fn masked<'a>(text: &'a str, line: &Range<usize>, all: impl Iterator<Item = &'a Diagnostic>) -> Cow<'a, str> {
    let hidden: Vec<&Range<usize>> = all.filter_map(|found| found.hidden.as_ref()).collect();
    let plain = &text[line.clone()];
    if !hidden.iter().any(|range| range.start < line.end && range.end > line.start) {
        return Cow::Borrowed(plain);
    }
    let mut shown = String::with_capacity(plain.len());
    for (at, letter) in plain.char_indices() {
        match hidden.iter().any(|range| range.contains(&(line.start + at))) {
            true => shown.extend(std::iter::repeat_n('*', letter.len_utf8())),
            false => shown.push(letter),
        }
    }
    Cow::Owned(shown)
}

impl Severity {
    /// `error` or `warning`.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        }
    }
}
