//! What a plain scalar is, by the YAML 1.2 core schema (YAML 1.2.2, §10.3.2).

use serde_json::Number;

use crate::Tree;

/// Reads a plain scalar. The error says why a number cannot be kept as one.
pub(super) fn resolve(text: &str) -> Result<Tree, String> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Tree::Null),
        "true" | "True" | "TRUE" => return Ok(Tree::Bool(true)),
        "false" | "False" | "FALSE" => return Ok(Tree::Bool(false)),
        _ => {}
    }
    if let Some(integer) = integer(text) {
        return integer.map(Tree::Number);
    }
    if is_float(text) {
        return float(text).map(Tree::Number);
    }
    Ok(Tree::Text(text.to_owned()))
}

/// `None` when it is no integer; an error when it is one that cannot be kept.
fn integer(text: &str) -> Option<Result<Number, String>> {
    let (radix, digits) = match text.get(..2) {
        Some("0o") => (8, &text[2..]),
        Some("0x") => (16, &text[2..]),
        _ => (10, text.strip_prefix(['+', '-']).unwrap_or(text)),
    };
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
        return None;
    }
    let magnitude = u64::from_str_radix(digits, radix).ok();
    let number = match (magnitude, text.starts_with('-')) {
        (Some(value), false) => Some(Number::from(value)),
        _ if radix == 10 => json::exact(text),
        _ => None,
    };
    Some(
        number.ok_or_else(|| {
            format!("the integer {text} cannot be kept: it has more than 28 digits or 64 bits")
        }),
    )
}

fn is_float(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))),
        None => (unsigned, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let shaped = !(whole.is_empty() && fraction.is_empty()) && digits(whole) && digits(fraction);
    shaped && exponent.is_none_or(|exponent| !exponent.is_empty() && digits(exponent))
}

fn float(text: &str) -> Result<Number, String> {
    json::exact(text).ok_or_else(|| {
        format!("the number {text} cannot be kept exactly: it has more than 28 digits, or is too large")
    })
}
