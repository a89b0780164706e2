//! Which numbers are kept, and in which form.
//!
//! Two texts of one value become one text (`1.10` and `1.1` are `1.1`, `1e2` is `100.0`), so that what is equal also
//! compares equal. A whole number stays whole, and `1.0` stays a number with a point.

use rust_decimal::Decimal;
use serde_json::Number;

/// The significant digits of a number that are kept.
pub const DIGITS: usize = 28;
/// What a refusal asks for.
pub const EXPECTED: &str = "expected a number of at most 28 significant digits, which can be kept exactly";

/// The most digits a double needs to be told from its neighbours.
const DOUBLE: usize = 17;
/// The most places after the point that a decimal has.
const PLACES: i32 = 28;

/// The number that a text spells, in the one form in which it is kept; none when it cannot be kept exactly.
/// The text is what JSON allows, or YAML: `+5`, `.5` and `05` are read as well.
pub fn exact(text: &str) -> Option<Number> {
    if is_plain(text) {
        return text.parse().ok();
    }
    let written = Written::read(text)?;
    let kept = written.plain().or_else(|| written.double())?;
    kept.parse().ok()
}

/// Whether a number that stands in a document is one that [`exact`] keeps.
pub fn is_kept(number: &Number) -> bool {
    exact(number.as_str()).is_some()
}

/// The decimal that a number spells; none when it is beyond the range of decimals.
pub fn decimal(number: &Number) -> Option<Decimal> {
    let text = number.as_str();
    match Decimal::from_str_exact(text) {
        Ok(decimal) => few_digits(decimal),
        Err(_) => Decimal::from_str_exact(&Written::read(text)?.plain()?).ok(),
    }
}

/// The number that spells a decimal: a whole one without a point. None when it has more than 28 significant digits.
pub fn from_decimal(decimal: Decimal) -> Option<Number> {
    let decimal = few_digits(decimal)?;
    match i64::try_from(decimal) {
        Ok(whole) if decimal.is_integer() => Some(whole.into()),
        _ => decimal.normalize().to_string().parse().ok(),
    }
}

/// The number that spells a double in the form in which it is kept; none for infinities and what is no number.
pub fn from_float(float: f64) -> Option<Number> {
    exact(Number::from_f64(float)?.as_str())
}

/// The decimal, when it has at most 28 significant digits; its own range has a little more.
fn few_digits(decimal: Decimal) -> Option<Decimal> {
    const MOST: u128 = 10u128.pow(DIGITS as u32);
    let digits = decimal.mantissa().unsigned_abs();
    // One digit more is possible, and one digit less when it is a zero.
    (digits < MOST || digits.is_multiple_of(10)).then_some(decimal)
}

/// Whether a text is in its one form already: digits, a point, digits, no zero too many. Most numbers with a point are.
fn is_plain(text: &str) -> bool {
    let Some((whole, places)) = text.strip_prefix('-').unwrap_or(text).split_once('.') else { return false };
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let shortest = (whole == "0" || !whole.starts_with('0')) && !places.ends_with('0');
    whole.len() + places.len() <= DIGITS && shortest && digits(whole) && digits(places)
}

/// A number as a text spells it: `digits` × 10^`exponent`, the digits without zeros at either end.
struct Written {
    negative: bool,
    digits: String,
    exponent: i32,
    /// Whether it was written with a point or an exponent.
    pointed: bool,
}

impl Written {
    fn read(text: &str) -> Option<Self> {
        let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()),
            None => (unsigned, Some(0)),
        };
        let (whole, places) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = [whole, places].concat();
        if all.is_empty() || !all.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let pointed = unsigned.bytes().any(|byte| matches!(byte, b'.' | b'e' | b'E'));
        let digits = all.trim_end_matches('0');
        let ended = i32::try_from(all.len() - digits.len()).ok()? - i32::try_from(places.len()).ok()?;
        let digits = digits.trim_start_matches('0').to_owned();
        if digits.is_empty() {
            return Some(Self { negative: false, digits, exponent: 0, pointed });
        }
        let exponent = exponent?.checked_add(ended)?;
        Some(Self { negative: text.starts_with('-'), digits, exponent, pointed })
    }

    /// The text without an exponent, when a decimal holds the number.
    fn plain(&self) -> Option<String> {
        let zeros = usize::try_from(self.exponent).unwrap_or(0);
        let range = self.digits.len() <= DIGITS
            && self.exponent >= -PLACES
            && self.digits.len() + zeros <= DIGITS + 1;
        if !range {
            return None;
        }
        let sign = if self.negative { "-" } else { "" };
        let point = if self.pointed { ".0" } else { "" };
        let text = match usize::try_from(-self.exponent) {
            Ok(places) if places > 0 => {
                let digits = format!("{:0>width$}", self.digits, width = places + 1);
                let (whole, places) = digits.split_at(digits.len() - places);
                format!("{sign}{whole}.{places}")
            }
            _ if self.digits.is_empty() => format!("0{point}"),
            _ => format!("{sign}{}{}{point}", self.digits, "0".repeat(zeros)),
        };
        Decimal::from_str_exact(&text).is_ok().then_some(text)
    }

    /// The text of the double that is written with the same digits.
    fn double(&self) -> Option<String> {
        if self.digits.len() > DOUBLE {
            return None;
        }
        let sign = if self.negative { "-" } else { "" };
        let float: f64 = format!("{sign}{}e{}", self.digits, self.exponent)
            .parse()
            .ok()
            .filter(|f: &f64| f.is_finite())?;
        let shortest = Self::read(&format!("{float:e}"))?;
        let same = shortest.digits == self.digits && shortest.exponent == self.exponent;
        same.then(|| Number::from_f64(float).map(|number| number.to_string()))?
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn kept(text: &str) -> Option<String> {
        exact(text).map(|number| number.to_string())
    }

    #[test]
    fn a_value_has_one_form() {
        for (text, form) in [
            ("0", "0"),
            ("-0", "0"),
            ("-0.0", "0.0"),
            ("0e9", "0.0"),
            ("0e99999999999", "0.0"),
            ("1.10", "1.1"),
            ("1.0", "1.0"),
            ("1.000", "1.0"),
            ("1e2", "100.0"),
            ("12.5E-1", "1.25"),
            ("1e-7", "0.0000001"),
            ("1e20", "100000000000000000000.0"),
            ("18446744073709551616", "18446744073709551616"),
            ("1234567890123456789012345678", "1234567890123456789012345678"),
            ("-0.1234567890123456789012345678", "-0.1234567890123456789012345678"),
            ("31415926535897932.38", "31415926535897932.38"),
            ("10000000000000000000000000000", "10000000000000000000000000000"),
            ("1e300", "1e+300"),
            ("1E+300", "1e+300"),
            ("6.123233995736766e-17", "6.123233995736766e-17"),
            ("5e-324", "5e-324"),
            ("+.50", "0.5"),
            ("007.", "7.0"),
        ] {
            assert_eq!(kept(text).as_deref(), Some(form), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_kept_is_refused() {
        for text in [
            "12345678901234567890123456789",
            "0.12345678901234567890123456789",
            "7.0000000000000000000000000003",
            "1e400",
            "-1e400",
            "1e-400",
            "1e99999999999",
            "1.2345678901234567890e300",
            "123456789012345678e-40",
            "",
            "-",
            ".",
            "1e",
            "e5",
            "1.2.3",
            "0x10",
            "NaN",
            "1 ",
        ] {
            assert_eq!(kept(text), None, "{text}");
        }
    }

    #[test]
    fn decimals_and_doubles_become_numbers() {
        let number = |text: &str| {
            from_decimal(Decimal::from_str_exact(text).unwrap()).map(|number| number.to_string())
        };
        assert_eq!(number("2.50").as_deref(), Some("2.5"));
        assert_eq!(number("-7.00").as_deref(), Some("-7"));
        assert_eq!(number("10000000000000000000000000000").as_deref(), Some("10000000000000000000000000000"));
        assert_eq!(number("79228162514264337593543950335"), None);
        assert_eq!(from_float(1e300).map(|number| number.to_string()).as_deref(), Some("1e+300"));
        assert_eq!(from_float(0.1).map(|number| number.to_string()).as_deref(), Some("0.1"));
        assert_eq!(from_float(f64::NAN), None);
        assert_eq!(
            decimal(&serde_json::from_str("1e-7").unwrap()),
            Decimal::from_str_exact("0.0000001").ok()
        );
        assert_eq!(decimal(&serde_json::from_str("1e300").unwrap()), None);
    }

    proptest! {
        /// Whatever is kept reads back as itself, also through `serde_json`, and a decimal of it is the same value.
        #[test]
        fn what_is_kept_stays(text in r"-?(0|[1-9][0-9]{0,32})(\.[0-9]{1,32})?([eE][+-]?[0-9]{1,3})?") {
            let Some(number) = exact(&text) else { return Ok(()) };
            prop_assert_eq!(exact(number.as_str()), Some(number.clone()));
            let again: serde_json::Value = serde_json::from_str(number.as_str()).unwrap();
            prop_assert_eq!(again, serde_json::Value::Number(number.clone()));
            if let Some(decimal) = decimal(&number) {
                let back = from_decimal(decimal).unwrap();
                prop_assert_eq!(super::decimal(&back), Some(decimal));
            }
        }

        /// Every double is kept.
        #[test]
        fn doubles_are_kept(bits: u64) {
            let float = f64::from_bits(bits);
            prop_assume!(float.is_finite());
            prop_assert_eq!(from_float(float).and_then(|number| number.as_f64()), Some(float));
        }
    }
}
