//! From text to tokens.

use super::literal;
use crate::code::Code;
use crate::fail::{Fail, Outcome};
use crate::limits::TOKENS;
use crate::number::Number;
use crate::tree::At;

/// A token and its place.
#[derive(Clone, Debug)]
pub(crate) struct Token<'s> {
    pub(crate) kind: Kind<'s>,
    pub(crate) at: At,
}

#[derive(Clone, Debug)]
pub(crate) enum Kind<'s> {
    /// A name; `in`, `true`, `false` and `null` are signs.
    Name(&'s str),
    /// A name in backticks, which only a field may have.
    Quoted(&'s str),
    Number(Number),
    /// A whole number too large unless a minus stands before it.
    Least,
    Text(String),
    Bytes,
    Sign(&'s str),
    End,
}

const SIGNS: [&str; 24] = [
    "||", "&&", "==", "!=", "<=", ">=", "<", ">", "+", "-", "*", "/", "%", "!", "?", ":", ".", ",", "(", ")",
    "[", "]", "{", "}",
];
const WORDS: [&str; 4] = ["in", "true", "false", "null"];

/// The tokens of a text, with `End` last.
pub(crate) fn tokens(text: &str) -> Outcome<Vec<Token<'_>>> {
    let mut tokens = Vec::new();
    let mut at = skip(text, 0);
    while at < text.len() {
        let (kind, length) = token(&text[at..]).map_err(|fail| shift(fail, text, at))?;
        tokens.push(Token { kind, at: At { start: at, end: at + length } });
        if tokens.len() > TOKENS {
            let message = format!("an expression may have {TOKENS} words and signs");
            return Err(Fail::new(Code::SourceLimit, message).at(At { start: at, end: at + length }));
        }
        at = skip(text, at + length);
    }
    tokens.push(Token { kind: Kind::End, at: At { start: text.len(), end: text.len() } });
    Ok(tokens)
}

/// A token's failure counts from the token's start.
fn shift(mut fail: Box<Fail>, text: &str, by: usize) -> Box<Fail> {
    let first = text[by..].chars().next().map_or(0, char::len_utf8);
    let at = fail.at.unwrap_or(At { start: 0, end: first });
    fail.at = Some(At { start: at.start + by, end: at.end + by });
    fail
}

/// Past white space and comments.
fn skip(text: &str, mut at: usize) -> usize {
    loop {
        let rest = &text[at..];
        let blank = rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n', '\u{c}']).len();
        let comment = if rest[blank..].starts_with("//") { rest[blank..].find('\n') } else { Some(0) };
        match comment {
            Some(0) => return at + blank,
            Some(length) => at += blank + length,
            None => return text.len(),
        }
    }
}

fn token(rest: &str) -> Outcome<(Kind<'_>, usize)> {
    if let Some(literal) = literal::text(rest) {
        return literal;
    }
    let first = rest.bytes().next().unwrap_or_default();
    let second = rest.as_bytes().get(1).copied().unwrap_or_default();
    if first.is_ascii_digit() || (first == b'.' && second.is_ascii_digit()) {
        return literal::number(rest);
    }
    if first.is_ascii_alphabetic() || first == b'_' {
        let length = rest.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
        let word = &rest[..length];
        let kind = if WORDS.contains(&word) { Kind::Sign(word) } else { Kind::Name(word) };
        return Ok((kind, length));
    }
    if first == b'`' {
        return quoted(rest);
    }
    let sign = SIGNS.into_iter().find(|sign| rest.starts_with(sign));
    sign.map(|sign| (Kind::Sign(&rest[..sign.len()]), sign.len())).ok_or_else(|| unexpected(rest))
}

fn quoted(rest: &str) -> Outcome<(Kind<'_>, usize)> {
    let inside = |c: char| c.is_ascii_alphanumeric() || "_.-/ ".contains(c);
    let length = rest[1..].find(|c| !inside(c)).unwrap_or(rest.len() - 1);
    if length == 0 || !rest[1 + length..].starts_with('`') {
        return Err(Fail::new(
            Code::Syntax,
            "a name in backticks has letters, digits and `_.-/ `, and is closed",
        ));
    }
    Ok((Kind::Quoted(&rest[1..=length]), length + 2))
}

fn unexpected(rest: &str) -> Box<Fail> {
    let first = rest.chars().next().unwrap_or_default();
    let fail = Fail::new(Code::Syntax, format!("unexpected `{}`", first.escape_debug()));
    match first {
        '=' => fail.help("compare with `==`"),
        '|' => fail.help("write `||` between conditions"),
        '&' => fail.help("write `&&` between conditions"),
        '$' => fail.help("an expression stands inside `${ … }`; write names in it without `$`"),
        _ => fail,
    }
}
