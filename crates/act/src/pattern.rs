//! Patterns as JSON Schema means them (ECMA-262, unanchored, ASCII classes), run by an engine that is linear in
//! the text. What it cannot run (look-around, back-references) is refused when the pattern is accepted.

use regex::{Regex, RegexBuilder};

/// How much memory one compiled pattern may take.
const SIZE_LIMIT: usize = 1 << 20;

/// Compiles a pattern, or says why it cannot be run.
pub(crate) fn compile(pattern: &str) -> Result<Regex, String> {
    RegexBuilder::new(&translate(pattern))
        .size_limit(SIZE_LIMIT)
        .build()
        .map_err(|error| format!("expected a pattern we can run in linear time: {}", reason(&error)))
}

fn reason(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default();
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}

/// Spells an ECMA-262 pattern for the engine: `\d`, `\w` and `\b` are ASCII there, and a class knows neither
/// nesting nor set operations.
fn translate(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() + 8);
    let mut letters = pattern.chars().peekable();
    let mut in_class = false;
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => escape(&mut out, letters.next(), in_class),
            '[' if in_class => out.push_str("\\["),
            '[' => {
                in_class = true;
                out.push('[');
                if letters.next_if_eq(&'^').is_some() {
                    out.push('^');
                }
            }
            ']' if in_class => {
                in_class = false;
                out.push(']');
            }
            '&' | '~' if in_class => out.extend(['\\', letter]),
            other => out.push(other),
        }
    }
    out
}

fn escape(out: &mut String, letter: Option<char>, in_class: bool) {
    match letter {
        Some('d') => out.push_str("[0-9]"),
        Some('D') => out.push_str("[^0-9]"),
        Some('w') => out.push_str("[0-9A-Za-z_]"),
        Some('W') => out.push_str("[^0-9A-Za-z_]"),
        Some('b') if in_class => out.push_str("\\x08"),
        Some('b') => out.push_str("(?-u:\\b)"),
        Some('<' | '>') => out.extend(letter),
        Some(other) => out.extend(['\\', other]),
        None => out.push('\\'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        compile(pattern).expect(pattern).is_match(text)
    }

    #[test]
    fn a_pattern_matches_anywhere() {
        assert!(matches("b", "abc"));
        assert!(!matches("^b$", "abc"));
        assert!(!matches("^a$", "a\n"));
    }

    #[test]
    fn classes_are_ascii_and_flat() {
        assert!(matches(r"^\d+$", "42") && !matches(r"^\d+$", "٤٢"));
        assert!(matches(r"^[\w-]+$", "a-b_c") && !matches(r"^\w$", "é"));
        assert!(matches(r"^[^\d]$", "x") && !matches(r"^[^\d]$", "1"));
        assert!(matches("^[a[b]$", "[") && matches("^[a&&b]$", "&") && matches("^[~~]$", "~"));
        assert!(matches(r"^\<\/\>$", "</>"));
        assert!(matches(r"\bfoo\b", "a foo b") && matches(r"^\+?[\d\s\-\(\)]{10,}$", "+1 555 010 0100"));
    }

    #[test]
    fn what_cannot_be_run_is_refused() {
        for pattern in ["([a-z", "(?=a)", r"(a)\1", "a{2,1}", "(?<!x)y", "\\", "((a{1000}){1000}){1000}"] {
            let reason = compile(pattern).expect_err(pattern);
            assert!(!reason.contains('\n'), "{reason:?}");
        }
    }
}
