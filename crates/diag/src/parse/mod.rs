//! Reads YAML 1.2 (and so JSON) into [`Node`] trees, every key and value with its place.
//!
//! Scalars follow the core schema: `yes` and `no` are text, quoted is text, integers stay integers. Refused:
//! repeated keys, merge keys, tags other than `!!str`, several documents, keys that are not scalars, and
//! anything beyond the limits below. It opens no file.

mod build;
mod scalar;
mod syntax;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use serde_saphyr::granit_parser::{Marker, Parser};

use crate::{Diagnostic, Node, Severity, Span, code};

/// The largest text that is read, in bytes.
pub const MAX_BYTES: usize = 4 * 1024 * 1024;
/// The deepest nesting of lists and mappings.
pub const MAX_DEPTH: usize = 64;
/// The most values in one document, those repeated by an alias counted each time.
pub const MAX_NODES: usize = 250_000;
/// The most bytes of keys and values in one document, those repeated by an alias counted each time.
pub(super) const MAX_TEXT: usize = 4 * MAX_BYTES;

/// Reads one document. `file` is the name that places will carry.
///
/// # Errors
/// Everything that is wrong with the text; a syntax error ends the reading, so it is the last.
pub fn parse(file: &str, text: &str) -> Result<Node, Vec<Diagnostic>> {
    let (node, diagnostics) = parse_partial(file, text);
    match node {
        Some(node) if diagnostics.iter().all(|found| found.severity < Severity::Error) => Ok(node),
        _ => Err(diagnostics),
    }
}

/// Reads one document and keeps what could be read beside what is wrong, so that a repeated key does not hide
/// the mistakes after it. The node is absent after a syntax error.
pub fn parse_partial(file: &str, text: &str) -> (Option<Node>, Vec<Diagnostic>) {
    let file: Arc<str> = file.into();
    if text.len() > MAX_BYTES {
        let message = format!("the file is {} bytes long", text.len());
        let limit = format!("at most {MAX_BYTES} bytes are read; split it into several files");
        let found = Diagnostic::error(code::LIMIT, &start_of(&file), message).help(limit);
        return (None, vec![found]);
    }
    let mut builder = build::Builder::new(file.clone());
    for event in Parser::new_from_str(text) {
        let proceed = match event {
            Ok((event, span)) => builder.take(event, span),
            Err(error) => builder.stop(syntax::error(&file, text, &error)),
        };
        if !proceed {
            break;
        }
    }
    builder.finish()
}

fn start_of(file: &Arc<str>) -> Span {
    Span { file: file.clone(), line: 1, column: 1, start: 0, end: 0 }
}

fn place(file: &Arc<str>, mark: &Marker) -> Span {
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let start = mark.byte_offset().unwrap_or(0);
    Span {
        file: file.clone(),
        line: number(mark.line().max(1)),
        column: number(mark.col() + 1),
        start,
        end: start,
    }
}
