//! Secrets are named in a configuration, never written.

use std::fmt;

use secrecy::SecretString;
use serde::{Deserialize, Deserializer, de};
use serde_json::Value;

use crate::Secrets;

/// The name of a secret: `{ secret: NAME }`, or the text `${ secret.NAME }`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Name(String);

impl Name {
    /// Reads a name. `None` when the value is anything else, a literal secret above all.
    pub(super) fn read(value: &Value) -> Option<Self> {
        let name = match value {
            Value::Object(map) if map.len() == 1 => map.get("secret")?.as_str()?,
            Value::String(text) => {
                text.strip_prefix("${")?.strip_suffix('}')?.trim().strip_prefix("secret.")?
            }
            _ => return None,
        };
        let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte));
        (plain && !name.is_empty()).then(|| Self(name.to_owned()))
    }

    /// Looks the value up.
    pub(super) fn resolve(&self, secrets: &dyn Secrets) -> Result<SecretString, String> {
        secrets.get(&self.0).ok_or_else(|| format!("there is no secret named {:?}", self.0))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Name {
    /// The error never repeats the value: it may be the secret itself.
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(from)?;
        Self::read(&value)
            .ok_or_else(|| de::Error::custom("a secret is named here, as { secret: NAME }, not written"))
    }
}
