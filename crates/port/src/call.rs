//! One call to an external system and what came back.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Metadata, Status};

/// Names one effect for ever: the same key is sent on every attempt of it, after every crash and replay.
///
/// Derived from a flow run and its step, or given by the caller; never from a clock. 1–255 visible ASCII characters.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IdempotencyKey(Arc<str>);

impl IdempotencyKey {
    /// Takes a key as it stands. `None` when it is empty, longer than 255, or holds anything but visible ASCII.
    pub fn new(key: &str) -> Option<Self> {
        let visible = key.bytes().all(|byte| byte.is_ascii_graphic());
        (visible && (1..=255).contains(&key.len())).then(|| Self(key.into()))
    }

    /// The key as it is sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One call: which operation, with what, and under which key.
#[derive(Clone, Debug)]
pub struct Call {
    /// The operation's name in the adapter's [`crate::Spec`].
    pub operation: Arc<str>,
    /// The operation's input; its shape is the operation's input schema. Shared, because each attempt gets the call.
    pub input: Arc<Value>,
    /// Present for every operation whose repeat is keyed.
    pub key: Option<IdempotencyKey>,
}

/// What an external system answered.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reply {
    /// The answer, as JSON. `null` when there was none (HTTP 204).
    pub output: Value,
    /// The protocol's own status, where it has one (HTTP status, gRPC code).
    pub status: Option<Status>,
    /// What the operation keeps of what the protocol said beside the answer; kept by flows along with a status.
    pub metadata: Metadata,
    /// How many attempts it took, counted by the guards on the way; 0 where nobody counted. An answer from a cache says
    /// what it took to fetch it.
    pub attempts: u32,
    /// The member that acted, by the name of its system, when a group was called; `None` from any other system.
    pub member: Option<Arc<str>>,
}
