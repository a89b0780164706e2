//! Secrets are named in a configuration, never written.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, de};
use serde_json::Value;

use crate::Secrets;

/// The name of a secret, as `{ secret: NAME }` gives it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Name(String);

impl Name {
    /// Looks the value up. The error names the secret; an empty one would be sent as "no credentials".
    pub(crate) fn resolve(&self, secrets: &dyn Secrets) -> Result<SecretString, String> {
        let secret = secrets.get(&self.0).ok_or_else(|| format!("there is no secret named {self}"))?;
        match secret.expose_secret().is_empty() {
            true => Err(format!("the secret {self} is empty")),
            false => Ok(secret),
        }
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
        let name = value.as_object().filter(|map| map.len() == 1).and_then(|map| map.get("secret")?.as_str());
        let says = || de::Error::custom("a secret is named here, as { secret: NAME }, not written");
        name.map(|name| Self(name.to_owned())).ok_or_else(says)
    }
}
