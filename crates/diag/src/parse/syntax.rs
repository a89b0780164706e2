//! What a syntax error says, and what was probably meant: the parser knows the grammar, not the usual slips.

use std::sync::Arc;

use serde_saphyr::granit_parser::{ErrorKind, ScanError};

use super::place;
use crate::{Diagnostic, Span, code};

const UNKNOWN_ANCHOR: &str =
    "a value that starts with `*` must be quoted, unless it repeats an anchor (`&name`)";
const TAB: &str = "indent with spaces; YAML does not allow tabs there";
const TAG: &str = "a value that begins with `!` must be quoted";
const BRACES: &str = "quote `\"${ … }\"` inside `{ }` and `[ ]`";
const MISPLACED: &str = "indented otherwise than its neighbours, or a quote or comma is missing above";

/// Words of the parser for something that stands where it cannot.
const MISPLACED_WORDS: [&str; 3] =
    ["mapping values are not allowed", "did not find expected key", "illegal placement of ':'"];

pub(super) fn error(file: &Arc<str>, text: &str, error: &ScanError) -> Diagnostic {
    let start = error.marker().byte_offset().unwrap_or(text.len()).min(text.len());
    let end = text[start..].chars().next().map_or(start, |first| start + first.len_utf8());
    let span = Span { start, end, ..place(file, error.marker()) };
    let mut found = Diagnostic::error(code::SYNTAX, &span, error.info());
    if matches!(error.kind(), ErrorKind::RecursionLimitExceeded) {
        found.code = code::LIMIT;
    }
    match slip(text, start, error) {
        Some(help) => found.help(help),
        None => found,
    }
}

fn slip(text: &str, start: usize, error: &ScanError) -> Option<&'static str> {
    let before = text[..start].rsplit('\n').next().unwrap_or_default();
    // The parser may notice at the beginning of the next line.
    let line_start = text[..start].trim_end().rfind('\n').map_or(0, |at| at + 1);
    let line = text[line_start..].lines().next().unwrap_or_default();
    if matches!(error.kind(), ErrorKind::UnknownAnchor) {
        return Some(UNKNOWN_ANCHOR);
    }
    if before.contains('\t') {
        return Some(TAB);
    }
    if line.contains(": !") || line.trim_start().starts_with("- !") {
        return Some(TAG);
    }
    if is_bare_in_braces(line) {
        return Some(BRACES);
    }
    MISPLACED_WORDS.iter().any(|words| error.info().contains(words)).then_some(MISPLACED)
}

/// Whether a `${` stands outside quotes after a brace or bracket that is still open.
fn is_bare_in_braces(line: &str) -> bool {
    let (mut open, mut quote, mut last) = (0usize, None, ' ');
    for letter in line.chars() {
        match (quote, letter) {
            (Some(end), _) if letter == end => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(letter),
            (None, '{') if last == '$' && open > 0 => return true,
            (None, '{' | '[') => open += 1,
            (None, '}' | ']') => open = open.saturating_sub(1),
            (None, _) => {}
        }
        last = letter;
    }
    false
}
