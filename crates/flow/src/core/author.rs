//! Who decided something about a run, and why.

use serde::{Deserialize, Serialize};

/// Who decided something, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Author {
    /// The principal; empty in entries of before this was kept.
    #[serde(default)]
    pub by: String,
    /// In the person's own words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

impl Author {
    /// Somebody, for a reason.
    pub fn new(by: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { by: by.into(), reason: reason.into() }
    }
}

impl From<&str> for Author {
    fn from(by: &str) -> Self {
        Self::new(by, "")
    }
}
