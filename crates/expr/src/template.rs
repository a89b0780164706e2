//! Finds `${ … }` in a scalar.

use std::ops::Range;

/// A part of a scalar; ranges are bytes of the scalar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Text(String),
    Expr(Range<usize>),
}

/// A `${` that is not closed, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unclosed(pub(crate) usize);

/// Splits a scalar into text and expressions. `$${` is a plain `${`; braces and quotes inside an expression are
/// respected.
pub(crate) fn split(scalar: &str) -> Result<Vec<Part>, Unclosed> {
    let mut parts = Vec::new();
    let mut text = String::new();
    let mut at = 0;
    while let Some(offset) = scalar[at..].find("${") {
        let open = at + offset;
        let escaped = scalar[at..open].ends_with('$');
        text.push_str(&scalar[at..open - usize::from(escaped)]);
        if escaped {
            text.push_str("${");
            at = open + 2;
            continue;
        }
        let close = open + 2 + close(&scalar[open + 2..]).ok_or(Unclosed(open))?;
        if !text.is_empty() {
            parts.push(Part::Text(std::mem::take(&mut text)));
        }
        parts.push(Part::Expr(open + 2..close));
        at = close + 1;
    }
    text.push_str(&scalar[at..]);
    if !text.is_empty() || parts.is_empty() {
        parts.push(Part::Text(text));
    }
    Ok(parts)
}

/// Where the brace that closes the expression is.
fn close(rest: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut quote = None;
    let mut escaped = false;
    for (at, c) in rest.char_indices() {
        match (quote, c) {
            _ if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '{') => depth += 1,
            (None, '}') if depth == 0 => return Some(at),
            (None, '}') => depth -= 1,
            (None, _) => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{Part, Unclosed, split};

    #[test]
    fn finds_the_expressions_of_a_scalar() {
        let text = |text: &str| Part::Text(text.to_owned());
        assert_eq!(split(""), Ok(vec![text("")]));
        assert_eq!(split("plain $5 {x}"), Ok(vec![text("plain $5 {x}")]));
        assert_eq!(split("${ a }"), Ok(vec![Part::Expr(2..5)]));
        assert_eq!(split("x ${a}${b}!"), Ok(vec![text("x "), Part::Expr(4..5), Part::Expr(8..9), text("!")]));
        assert_eq!(split("$${a} ${b}"), Ok(vec![text("${a} "), Part::Expr(8..9)]));
        assert_eq!(split(r#"${ {"}": '}'} }"#), Ok(vec![Part::Expr(2..14)]));
        assert_eq!(split(r#"${ "\"}" }"#), Ok(vec![Part::Expr(2..9)]));
        assert_eq!(split("ab ${ c"), Err(Unclosed(3)));
    }
}
