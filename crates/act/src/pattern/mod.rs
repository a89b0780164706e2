//! Patterns as JSON Schema means them (ECMA-262, unanchored, ASCII classes), run by an engine that is linear in
//! the text. What it cannot run (look-around, back-references) is refused when the pattern is accepted.

mod cost;

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use regex::{Regex, RegexBuilder};

/// How much memory the compiled patterns of one ask may take together. `^.{1,200}$` takes a quarter of a megabyte,
/// because `.` is any letter there is; most take a hundredth of that.
pub(crate) const LARGEST: usize = 256 << 10;
/// The smallest size that is told apart.
const SMALLEST: usize = 1024;
/// Size of the compiled patterns times bytes of the text: what the engine has to do in the worst case, at about a
/// thousand million a second. This much takes it less than a tenth of a second.
const WORK: usize = 1 << 26;
/// Bytes of a pattern as it is written.
const LONGEST: usize = 4096;
/// Patterns that are kept compiled. The same few are asked again and again.
const KEPT: usize = 256;

static COMPILED: LazyLock<Mutex<HashMap<Box<str>, Arc<Pattern>>>> = LazyLock::new(Mutex::default);

/// A pattern that is ready.
#[derive(Debug)]
pub(crate) struct Pattern {
    regex: Regex,
    /// Bytes it takes, rounded up to a power of two: the engine does not tell more.
    pub(crate) size: usize,
}

/// Why a pattern is not run.
#[derive(Debug)]
pub(crate) enum Fault {
    /// It is none, or needs more than time that is linear in the text.
    Form(String),
    /// It takes too much.
    Large,
}

impl Fault {
    pub(crate) fn told(self) -> String {
        match self {
            Self::Form(why) => format!("expected a pattern we can run in linear time: {why}"),
            Self::Large => large(),
        }
    }
}

/// What is said of patterns that take too much.
pub(crate) fn large() -> String {
    format!(
        "expected patterns of at most {LONGEST} bytes that take at most {} KiB when compiled",
        LARGEST >> 10
    )
}

impl Pattern {
    pub(crate) fn is_match(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }
}

/// How many bytes of text patterns of this size are asked of.
pub(crate) fn reach(size: usize) -> usize {
    WORK / size.max(1)
}

/// Compiles a pattern, or says why it cannot be run.
pub(crate) fn compile(pattern: &str) -> Result<Arc<Pattern>, Fault> {
    if pattern.len() > LONGEST {
        return Err(Fault::Large);
    }
    let kept = || COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(found) = kept().get(pattern) {
        return Ok(found.clone());
    }
    let made = Arc::new(build(&translate(pattern))?);
    let mut kept = kept();
    if kept.len() >= KEPT {
        kept.clear();
    }
    kept.insert(pattern.into(), made.clone());
    Ok(made)
}

/// Finds the smallest power of two that is enough: that is how large it is. What would cost much to compile is
/// refused before.
fn build(spelled: &str) -> Result<Pattern, Fault> {
    if !cost::is_bounded(spelled) {
        return Err(Fault::Large);
    }
    let mut found = None;
    let (mut low, mut high) = (SMALLEST.ilog2(), LARGEST.ilog2());
    while low <= high {
        let middle = low.midpoint(high);
        let size = 1 << middle;
        match RegexBuilder::new(spelled).size_limit(size).dfa_size_limit(LARGEST).build() {
            Ok(regex) => (found, high) = (Some(Pattern { regex, size }), middle - 1),
            Err(regex::Error::CompiledTooBig(_)) => low = middle + 1,
            Err(error) => return Err(Fault::Form(reason(&error))),
        }
    }
    found.ok_or(Fault::Large)
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
        for pattern in ["([a-z", "(?=a)", r"(a)\1", "a{2,1}", "(?<!x)y", "\\"] {
            let Err(Fault::Form(reason)) = compile(pattern) else { panic!("{pattern} is taken") };
            assert!(!reason.contains('\n'), "{reason:?}");
        }
    }

    #[test]
    fn what_takes_too_much_is_refused() {
        for pattern in ["((a{1000}){1000}){1000}", "[ab]*a[ab]{4000}c", ".{0,1000}", &"a".repeat(5000)] {
            assert!(matches!(compile(pattern), Err(Fault::Large)), "{pattern}");
        }
        assert!(matches("^.{1,200}$", "é") && matches(r"^\p{L}+$", "Łódź"));
    }

    #[test]
    fn what_costs_much_to_compile_is_not_compiled() {
        for piece in [r"(?i:[\x{0}-\x{10FFFF}])", r"(?i)[^\p{L}]\p{Lu}", r"(?i:[\u{80}-\u{FFFF}\p{L}])"] {
            let costly = piece.repeat(40);
            assert!(matches!(compile(&costly), Err(Fault::Large)), "{costly}");
        }
        assert!(matches("(?i)^straße$", "STRASSE") || matches("(?i)^hello [a-zà-ÿ]+$", "HELLO é"));
        assert!(matches(r"(?i)^\p{L}+$", "Łódź") && matches(r"^\+?[0-9]{7,15}$", "+15550100100"));
    }

    #[test]
    fn the_larger_the_pattern_the_shorter_the_text() {
        let reach = |pattern| reach(compile(pattern).expect(pattern).size);
        assert!(reach("^.{1,200}$") >= 200, "{}", reach("^.{1,200}$"));
        assert!(reach(r"^\p{L}+$") >= 1000, "{}", reach(r"^\p{L}+$"));
        assert!(reach("^[^<>]*$") >= 30_000, "{}", reach("^[^<>]*$"));
        assert!(reach("[ab]*a[ab]{500}c") <= 4096, "{}", reach("[ab]*a[ab]{500}c"));
    }

    #[test]
    fn a_pattern_is_compiled_once() {
        let once = compile("^once$").expect("a pattern");
        assert!(Arc::ptr_eq(&once, &compile("^once$").expect("a pattern")));
        (0..2 * KEPT).for_each(|number| drop(compile(&format!("^{number}$"))));
        assert!(COMPILED.lock().expect("no panic").len() <= KEPT);
    }
}
