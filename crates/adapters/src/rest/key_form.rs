//! The form in which an operation wants its idempotency key: many providers refuse others.

use aws_lc_rs::digest::{SHA256, digest};
use serde::Deserialize;

/// How many hexadecimal digits are sent unless said.
const LENGTH: usize = 32;
/// Fewer would let two keys meet.
const SHORTEST: usize = 16;

/// A form of the key: a prefix, and digits of the key's SHA-256.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyForm {
    #[serde(default)]
    format: Format,
    #[serde(default)]
    prefix: String,
    length: Option<usize>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Format {
    #[default]
    Hex,
    /// A UUID of version 8 (RFC 9562): the digest's first 122 bits that it has room for.
    Uuid,
}

impl KeyForm {
    /// Its name: another form has another.
    pub(super) fn named(&self) -> String {
        let format = match self.format {
            Format::Hex => "hex",
            Format::Uuid => "uuid",
        };
        format!("{format}/{}/{}", self.length.unwrap_or(LENGTH), self.prefix)
    }

    /// The key in this form: the same for the same key, always.
    pub(super) fn of(&self, key: &str) -> String {
        let sum = digest(&SHA256, key.as_bytes());
        let mut bytes = sum.as_ref().to_vec();
        let digits = match self.format {
            Format::Hex => {
                let length = self.length.unwrap_or(LENGTH).clamp(SHORTEST, 2 * bytes.len());
                hex(&bytes)[..length].to_owned()
            }
            Format::Uuid => {
                bytes[6] = bytes[6] & 0x0f | 0x80;
                bytes[8] = bytes[8] & 0x3f | 0x80;
                let digits = hex(&bytes[..16]);
                [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-")
            }
        };
        format!("{}{digits}", self.prefix)
    }

    /// What cannot be sent in a header, or contradicts itself.
    pub(super) fn fault(&self) -> Option<&'static str> {
        let visible = self.prefix.bytes().all(|byte| byte.is_ascii_graphic()) && self.prefix.len() <= 128;
        match self {
            _ if !visible => Some("the prefix must be visible ASCII characters, at most 128"),
            Self { format: Format::Uuid, length: Some(_), .. } => Some("a UUID has a length of its own"),
            _ => None,
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(written: serde_json::Value) -> KeyForm {
        serde_json::from_value(written).unwrap()
    }

    #[test]
    fn a_key_takes_the_form_that_is_asked_for() {
        let hex = form(serde_json::json!({ "prefix": "ck_", "length": 20 })).of("run_1/charge");
        assert_eq!((hex.len(), &hex[..3]), (23, "ck_"));
        let uuid = form(serde_json::json!({ "format": "uuid" })).of("run_1/charge");
        assert_eq!((uuid.len(), &uuid[14..15]), (36, "8"));
        assert_ne!(uuid, form(serde_json::json!({ "format": "uuid" })).of("run_2/charge"));
    }

    #[test]
    fn a_form_that_cannot_be_sent_is_named() {
        assert!(form(serde_json::json!({ "prefix": "ä" })).fault().is_some());
        assert!(form(serde_json::json!({ "format": "uuid", "length": 32 })).fault().is_some());
        assert!(form(serde_json::json!({ "format": "uuid" })).fault().is_none());
    }
}
