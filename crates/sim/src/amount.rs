//! An amount of money, kept as the decimal text in which it came: no float ever touches it.

use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::value::RawValue;

/// A positive decimal number of at most 15 digits before and 9 after the point.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(transparent)]
pub(crate) struct Amount(String);

impl Amount {
    fn read(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let sound = digits(whole) && digits(fraction) && whole.len() <= 15 && fraction.len() <= 9;
        let positive = text.bytes().any(|byte| matches!(byte, b'1'..=b'9'));
        (sound && positive).then(|| Self(text.to_owned()))
    }
}

impl<'de> Deserialize<'de> for Amount {
    /// From a JSON number or a decimal string.
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(from)?;
        let text = raw.get();
        let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
        Self::read(text).ok_or_else(|| de::Error::custom("amount must be a positive decimal such as 12.50"))
    }
}

#[cfg(test)]
mod tests {
    use super::Amount;

    #[test]
    fn keeps_the_digits_as_they_came() {
        for (json, kept) in [
            ("34.50", "34.50"),
            ("\"0.10\"", "0.10"),
            ("7", "7"),
            ("123456789012345.000000001", "123456789012345.000000001"),
        ] {
            assert_eq!(serde_json::from_str::<Amount>(json).unwrap(), Amount(kept.to_owned()));
        }
    }

    #[test]
    fn refuses_what_is_no_positive_decimal() {
        for json in ["0", "-1", "1e3", "\"\"", "\"1.\"", "\".5\"", "null", "1234567890123456", "\"1,5\""] {
            assert!(serde_json::from_str::<Amount>(json).is_err(), "{json}");
        }
    }
}
