//! What the protocol said of the answer that a step ended with.

use std::borrow::Cow;

use port::{Metadata, Status};
use serde::{Deserialize, Serialize};

/// A status, by the number that its protocol has for it, and what the operation keeps beside the output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    /// The protocol that numbers so: `http`.
    pub protocol: Cow<'static, str>,
    /// Its number: 201.
    pub status: u16,
    /// Headers and the like, by name.
    #[serde(default, skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
}

impl Answered {
    /// What is kept of a reply; nothing of a protocol without a status.
    pub(crate) fn of(status: Option<Status>, metadata: Metadata) -> Option<Self> {
        let Status { protocol, code } = status?;
        Some(Self { protocol: protocol.into(), status: code, metadata })
    }
}
