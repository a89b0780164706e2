//! Texts and numbers as they are written.

use super::token::Kind;
use crate::code::Code;
use crate::fail::{Fail, Outcome};
use crate::number::Number;
use crate::tree::At;

/// The text or bytes that start here; none when something else does.
pub(super) fn text(rest: &str) -> Option<Outcome<(Kind<'_>, usize)>> {
    let bytes = usize::from(rest.starts_with(['b', 'B']));
    let raw = usize::from(rest[bytes..].starts_with(['r', 'R']));
    let prefix = bytes + raw;
    let body = &rest[prefix..];
    let quote = ["\"\"\"", "'''", "\"", "'"].into_iter().find(|quote| body.starts_with(quote))?;
    Some(content(&body[quote.len()..], quote, raw == 1, bytes == 1).map(|(text, length)| {
        let kind = if bytes == 1 { Kind::Bytes } else { Kind::Text(text) };
        (kind, prefix + quote.len() + length)
    }))
}

/// The content up to the closing quote, and the bytes read with it.
fn content(body: &str, quote: &str, raw: bool, bytes: bool) -> Outcome<(String, usize)> {
    let mut text = String::new();
    let mut at = 0;
    while let Some(next) = body[at..].chars().next() {
        if body[at..].starts_with(quote) {
            return Ok((text, at + quote.len()));
        }
        if quote.len() == 1 && matches!(next, '\n' | '\r') {
            break;
        }
        if next == '\\' && !raw {
            let (c, length) = escape(&body[at + 1..], bytes).ok_or_else(bad_escape)?;
            text.push(c);
            at += 1 + length;
        } else {
            text.push(next);
            at += next.len_utf8();
        }
    }
    Err(Fail::new(Code::Syntax, "the text is not closed").help("close the text with the same quote"))
}

fn bad_escape() -> Box<Fail> {
    Fail::new(Code::Syntax, "the text has a `\\` before something it does not fit")
        .help("write `\\\\` for a backslash, or put `r` before the quotes")
}

/// The character of an escape, and its bytes after the backslash.
fn escape(rest: &str, bytes: bool) -> Option<(char, usize)> {
    let code = |from: usize, digits: usize, radix: u32| {
        let digits_text = rest.get(from..from + digits)?;
        let all = digits_text.chars().all(|digit| digit.is_digit(radix));
        let number = u32::from_str_radix(digits_text, radix).ok().filter(|_| all)?;
        Some((char::from_u32(number)?, from + digits))
    };
    let simple = |c: char| Some((c, 1));
    match rest.bytes().next()? {
        b'a' => simple('\u{7}'),
        b'b' => simple('\u{8}'),
        b'f' => simple('\u{c}'),
        b'n' => simple('\n'),
        b'r' => simple('\r'),
        b't' => simple('\t'),
        b'v' => simple('\u{b}'),
        quoted @ (b'"' | b'\'' | b'\\' | b'?' | b'`') => simple(char::from(quoted)),
        b'x' | b'X' => code(1, 2, 16),
        b'u' if !bytes => code(1, 4, 16),
        b'U' if !bytes => code(1, 8, 16),
        b'0'..=b'3' => code(0, 3, 8),
        _ => None,
    }
}

/// The number that starts here.
pub(super) fn number(rest: &str) -> Outcome<(Kind<'_>, usize)> {
    if let Some(hex) = rest.strip_prefix("0x") {
        let digits = hex.bytes().take_while(u8::is_ascii_hexdigit).count();
        if digits > 0 {
            return whole(rest, &hex[..digits], 16, 2 + digits);
        }
    }
    let digits = |from: usize| rest[from..].bytes().take_while(u8::is_ascii_digit).count();
    let int = digits(0);
    let places = if rest[int..].starts_with('.') { digits(int + 1) } else { 0 };
    let mantissa = if places > 0 { int + 1 + places } else { int };
    let exponent = exponent(&rest[mantissa..]);
    if places == 0 && exponent == 0 {
        return whole(rest, &rest[..int], 10, int);
    }
    let length = mantissa + exponent;
    let parsed = Number::parse(&rest[..length]).map(|number| (Kind::Number(number), length));
    parsed.ok_or_else(|| too_large(length))
}

/// The bytes of `e+10`.
fn exponent(rest: &str) -> usize {
    if !rest.starts_with(['e', 'E']) {
        return 0;
    }
    let sign = usize::from(rest[1..].starts_with(['+', '-']));
    match rest[1 + sign..].bytes().take_while(u8::is_ascii_digit).count() {
        0 => 0,
        digits => 1 + sign + digits,
    }
}

fn whole<'s>(rest: &'s str, digits: &str, radix: u32, length: usize) -> Outcome<(Kind<'s>, usize)> {
    let Ok(number) = u64::from_str_radix(digits, radix) else { return Err(too_large(length)) };
    if rest[length..].starts_with(['u', 'U']) {
        return Ok((Kind::Number(Number::from_json(&number.into())), length + 1));
    }
    match i64::try_from(number) {
        Ok(int) => Ok((Kind::Number(Number::Int(int)), length)),
        Err(_) if number == i64::MIN.unsigned_abs() => Ok((Kind::Least, length)),
        Err(_) => Err(too_large(length)),
    }
}

fn too_large(length: usize) -> Box<Fail> {
    let says = "the number cannot be kept exactly";
    let help = "whole numbers have 64 bits, decimals 28 significant digits";
    Fail::new(Code::Syntax, says).help(help).at(At { start: 0, end: length })
}
