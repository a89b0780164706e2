//! From text to the syntax tree of the `cel` crate. This is the only file that runs its parser.

use cel::common::ast::{IdedExpr, SourceInfo};
use cel::parser::ParseErrors;
use diag::Diagnostic;

use crate::code::Code;
use crate::limits::{NESTING, SOURCE_BYTES, TOKENS};
use crate::source::Source;
use crate::tree::At;

const STACK_BYTES: usize = 16 * 1024 * 1024;

/// The syntax tree, with macros (`has`, `map`, …) left as the calls they are written as.
pub(crate) fn parse(source: &Source) -> Result<(IdedExpr, SourceInfo), Box<Diagnostic>> {
    check_size(source)?;
    // The generated parser takes up to 170 KiB of stack for each bracket and unwraps in hundreds of places. On
    // its own thread neither can end a server that reloads its configuration.
    let parsed = std::thread::scope(|scope| {
        let parser = std::thread::Builder::new().stack_size(STACK_BYTES);
        parser.spawn_scoped(scope, || run(&source.text)).ok()?.join().ok()
    });
    match parsed {
        Some(Ok(tree)) => Ok(tree),
        Some(Err(errors)) => Err(syntax_error(source, &errors).into()),
        None => Err(source.error(Code::Syntax, whole(source), "this is not an expression").into()),
    }
}

fn run(text: &str) -> Result<(IdedExpr, SourceInfo), ParseErrors> {
    cel::Env::default()
        .with_optional_support(false)
        .parser()
        .enable_ident_escape_syntax(true)
        .max_recursion_depth(NESTING)
        .error_recovery_limit(1)
        .parse_with_source_info(text)
}

fn whole(source: &Source) -> At {
    At { start: 0, end: source.text.len() }
}

fn check_size(source: &Source) -> Result<(), Box<Diagnostic>> {
    let text = &source.text;
    if text.trim().is_empty() {
        return Err(source.error(Code::Syntax, whole(source), "the expression is empty").into());
    }
    if text.len() > SOURCE_BYTES {
        let message = format!("an expression may have {SOURCE_BYTES} bytes, this one has {}", text.len());
        return Err(source.error(Code::SourceLimit, At::default(), message).into());
    }
    let tokens = count_tokens(text);
    if tokens > TOKENS {
        let message = format!("an expression may have {TOKENS} words and signs, this one has {tokens}");
        return Err(source.error(Code::SourceLimit, At::default(), message).into());
    }
    Ok(())
}

/// Counts words and signs; a text literal or a comment is one.
fn count_tokens(text: &str) -> usize {
    let mut rest = text;
    let mut count = 0;
    while let Some(first) = rest.chars().next() {
        rest = &rest[token_length(rest, first)..];
        count += usize::from(!first.is_whitespace());
    }
    count
}

fn token_length(rest: &str, first: char) -> usize {
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if matches!(first, '"' | '\'') {
        return literal_length(rest, true).unwrap_or(1);
    }
    if !is_word(first) {
        return first.len_utf8();
    }
    let word = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
    let raw = matches!(&rest[..word], "r" | "R" | "br" | "bR" | "Br" | "BR" | "rb" | "rB" | "Rb" | "RB");
    match literal_length(&rest[word..], false) {
        Some(literal) if raw => word + literal,
        _ => word,
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The bytes of the text literal that starts here, if it ends.
fn literal_length(rest: &str, escapes: bool) -> Option<usize> {
    let quote = ["\"\"\"", "'''", "\"", "'"].into_iter().find(|quote| rest.starts_with(quote))?;
    let mut at = quote.len();
    while let Some(next) = rest[at..].chars().next() {
        if rest[at..].starts_with(quote) {
            return Some(at + quote.len());
        }
        at += next.len_utf8();
        if escapes && next == '\\' {
            at += rest[at..].chars().next().map_or(0, char::len_utf8);
        }
    }
    None
}

/// The first error in our words; those after it are usually its echo.
fn syntax_error(source: &Source, errors: &ParseErrors) -> Diagnostic {
    let Some(first) = errors.errors.first() else {
        return source.error(Code::Syntax, whole(source), "this is not an expression");
    };
    let at = place(&source.text, first.pos);
    let message = plain_words(&first.msg);
    if message.contains("too deeply") {
        let message = format!("{message}: brackets may be {NESTING} deep");
        return source.error(Code::SourceLimit, at, message);
    }
    let diagnostic = source.error(Code::Syntax, at, message);
    match hint(&source.text, at) {
        Some(hint) => diagnostic.help(hint),
        None => diagnostic,
    }
}

/// What the parser said, without its grammar.
fn plain_words(message: &str) -> String {
    let message = message.trim_start_matches("Syntax error: ");
    if message.contains("Recursion limit") {
        return "the expression is nested too deeply".to_owned();
    }
    if message.contains("'<EOF>'") && !message.starts_with("extraneous") {
        return "the expression ends too early".to_owned();
    }
    let quoted = |prefix: &str| {
        let rest = message.strip_prefix(prefix)?;
        let end = rest.find("' expecting").or_else(|| rest.rfind('\''))?;
        Some(rest[..end].to_owned())
    };
    let unexpected = ["token recognition error at: '", "extraneous input '", "mismatched input '"];
    if let Some(token) = unexpected.into_iter().find_map(quoted) {
        return format!("unexpected `{}`", token.trim());
    }
    if let Some(token) = quoted("no viable alternative at input '") {
        return format!("unexpected end of `{}`", token.trim());
    }
    let mut message = message.to_owned();
    message.truncate(message.char_indices().nth(120).map_or(message.len(), |(cut, _)| cut));
    message
}

/// A line (from 1) and a column (characters, from 1) as an offset.
fn place(text: &str, (line, column): (isize, isize)) -> At {
    let lines = usize::try_from(line - 1).unwrap_or(0);
    let line_start: usize = text.split_inclusive('\n').take(lines).map(str::len).sum();
    let columns = usize::try_from(column - 1).unwrap_or(0);
    let line = text.get(line_start..).unwrap_or_default();
    let start = line_start + line.char_indices().nth(columns).map_or(line.len(), |(offset, _)| offset);
    let length = text[start..].chars().next().map_or(0, char::len_utf8);
    At { start, end: start + length }
}

/// What people mean who write another language.
fn hint(text: &str, at: At) -> Option<&'static str> {
    let word = text[at.start..].split(|c: char| !is_word(c)).next().unwrap_or_default();
    match (word, text[at.start..].chars().next()) {
        ("and", _) => Some("write `&&`"),
        ("or", _) => Some("write `||`"),
        ("not", _) => Some("write `!`"),
        ("is", _) => Some("write `==`"),
        (_, Some('=')) => Some("compare with `==`"),
        (_, Some('|')) => Some("write `||` between conditions"),
        (_, Some('&')) => Some("write `&&` between conditions"),
        (_, Some('\'' | '"')) => Some("close the text with the same quote"),
        (_, Some('$' | '{')) => Some("an expression stands inside `${ … }`; write names in it without `$`"),
        _ => None,
    }
}
