//! Durations and sizes as people write them.

use std::fmt::Write;
use std::time::Duration;

/// The longest duration that may be written: ten years.
const LONGEST: Duration = Duration::from_secs(10 * 366 * 86_400);

const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// Reads `250ms`, `3s`, `5m`, `1h`, `1d` or several of them from large to small (`1m30s`).
///
/// # Errors
/// Why it cannot be read.
pub fn duration(text: &str) -> Result<Duration, String> {
    let (mut rest, mut total, mut smallest) = (text, 0u64, u64::MAX);
    while !rest.is_empty() {
        let (number, unit);
        (number, unit, rest) = part(rest)?;
        let found = UNITS.iter().find(|(name, _)| *name == unit);
        let (_, millis) = found.ok_or_else(|| unknown_unit(unit, "ms, s, m, h or d"))?;
        if *millis >= smallest {
            return Err("units go from large to small, each once".to_owned());
        }
        smallest = *millis;
        total =
            number.checked_mul(*millis).and_then(|part| total.checked_add(part)).ok_or("it is too long")?;
    }
    let total = Duration::from_millis(total);
    match () {
        () if text.is_empty() => Err("it is empty".to_owned()),
        () if total > LONGEST => Err("it is longer than ten years".to_owned()),
        () => Ok(total),
    }
}

/// Reads `512B`, `64KiB`, `1MiB` or `2GiB`.
///
/// # Errors
/// Why it cannot be read.
pub fn size(text: &str) -> Result<u64, String> {
    let (number, unit, rest) = part(text)?;
    let bytes: u64 = match unit {
        "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return Err(unknown_unit(unit, "B, KiB, MiB or GiB")),
    };
    if !rest.is_empty() {
        return Err("one number and one unit are enough".to_owned());
    }
    number.checked_mul(bytes).ok_or_else(|| "it is too large".to_owned())
}

/// Writes a duration as [`duration`] reads it: `1m30s`. Parts of a millisecond are dropped.
pub fn show_duration(duration: Duration) -> String {
    let mut rest = duration.as_millis();
    let mut text = String::new();
    for (unit, millis) in UNITS {
        let count = rest / u128::from(millis);
        rest %= u128::from(millis);
        if count > 0 {
            let _ = write!(text, "{count}{unit}");
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

/// Writes a size as [`size`] reads it, in the largest unit that divides it: `64KiB`.
pub fn show_size(bytes: u64) -> String {
    for (unit, shift) in [("GiB", 30), ("MiB", 20), ("KiB", 10)] {
        if bytes > 0 && bytes.trailing_zeros() >= shift {
            return format!("{}{unit}", bytes >> shift);
        }
    }
    format!("{bytes}B")
}

/// Splits the first number and unit off.
fn part(text: &str) -> Result<(u64, &str, &str), String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, rest) = text.split_at(digits);
    let letters = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
    let (unit, rest) = rest.split_at(letters);
    let number = number.parse().map_err(|_| "it does not start with a whole number".to_owned())?;
    Ok((number, unit, rest))
}

fn unknown_unit(unit: &str, known: &str) -> String {
    if unit.starts_with('.') {
        return "only whole numbers are read; use a smaller unit".to_owned();
    }
    if unit.is_empty() {
        format!("the unit is missing: {known}")
    } else {
        format!("the unit {unit:?} is not {known}")
    }
}

#[cfg(test)]
mod tests {
    use super::{duration, show_duration, show_size, size};

    #[test]
    fn durations() {
        let millis = |text| duration(text).map(|found| found.as_millis());
        for (text, expected) in [
            ("250ms", 250),
            ("3s", 3_000),
            ("5m", 300_000),
            ("1h", 3_600_000),
            ("1d", 86_400_000),
            ("1m30s", 90_000),
            ("0s", 0),
        ] {
            assert_eq!(millis(text), Ok(expected), "{text}");
            assert_eq!(show_duration(duration(text).unwrap()), text);
        }
        for text in
            ["", "3", "s", "1.5s", "-1s", "3 s", "1s1m", "1s1s", "99999999999999999999s", "99999d", "3S"]
        {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes() {
        for (text, expected) in [("512B", 512), ("64KiB", 65_536), ("1MiB", 1 << 20), ("2GiB", 2 << 30)] {
            assert_eq!(size(text), Ok(expected), "{text}");
            assert_eq!(show_size(expected), text);
        }
        for text in ["", "1", "1KB", "1MB", "1.5MiB", "1MiB1B", "99999999999999999999B", "99999999999GiB"] {
            assert!(size(text).is_err(), "{text}");
        }
    }
}
