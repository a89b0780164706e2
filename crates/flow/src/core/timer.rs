//! Which timer of a step is meant.

use serde::{Deserialize, Serialize};

/// Which timer of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Timer {
    Wait,
    Retry,
    Timeout,
    Sla,
}

impl Timer {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Wait => "wait",
            Self::Retry => "retry",
            Self::Timeout => "timeout",
            Self::Sla => "sla",
        }
    }

    /// Reads the word back.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        let all = [Self::Wait, Self::Retry, Self::Timeout, Self::Sla];
        all.into_iter().find(|timer| timer.as_str() == word)
    }
}
