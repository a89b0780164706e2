//! `256KiB`: an amount of bytes.

use serde_json::Value;

/// The largest answer that may be allowed.
const MOST: usize = 64 * 1024 * 1024;

/// Reads a whole number of bytes, or text with the unit `B`, `KiB` or `MiB`.
pub(super) fn read(value: &Value) -> Option<usize> {
    let bytes = match value {
        Value::Number(number) => usize::try_from(number.as_u64()?).ok()?,
        Value::String(text) => measured(text.trim())?,
        _ => return None,
    };
    (1..=MOST).contains(&bytes).then_some(bytes)
}

fn measured(text: &str) -> Option<usize> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let unit = match text[digits..].trim() {
        "" | "B" => 1,
        "KiB" => 1024,
        "MiB" => 1024 * 1024,
        _ => return None,
    };
    text[..digits].parse::<usize>().ok()?.checked_mul(unit)
}
