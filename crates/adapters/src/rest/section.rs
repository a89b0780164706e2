//! The section's own keys as they are written, before anything is judged; the others are [`crate::http::Written`].

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use serde::{Deserialize, de};
use serde_json::Value;

use super::key_form::KeyForm;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Section {
    pub(super) health: Option<String>,
    pub(super) probe: Option<Probe>,
    #[serde(default)]
    pub(super) operations: BTreeMap<String, Operation>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Probe {
    pub(super) path: String,
    #[expect(dead_code, reason = "read from the node, which knows units")]
    pub(super) every: Option<de::IgnoredAny>,
}

/// What is sent as JSON, or which member carries the bytes that are sent.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "body is `none`, `rest`, `all`, `{member}` or a mapping of `bytes`")]
pub(super) enum Body {
    Json(String),
    Bytes { bytes: String },
}

/// A number of tokens, or the member of the input that says it.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "cost is a number or `{member}`")]
pub(super) enum Cost {
    Fixed(NonZeroU32),
    Member(String),
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Operation {
    pub(super) get: Option<String>,
    pub(super) post: Option<String>,
    pub(super) put: Option<String>,
    pub(super) patch: Option<String>,
    pub(super) delete: Option<String>,
    #[serde(default)]
    pub(super) summary: String,
    #[serde(default)]
    pub(super) query: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: Option<Body>,
    pub(super) repeat: Option<port::Repeat>,
    pub(super) undo: Option<String>,
    pub(super) input: Option<Value>,
    pub(super) output: Option<Value>,
    pub(super) idempotency_header: Option<String>,
    #[serde(default)]
    pub(super) response_headers: Vec<String>,
    #[serde(default)]
    pub(super) ok: Vec<u16>,
    #[expect(dead_code, reason = "read from the node, which knows units")]
    pub(super) settles_within: Option<de::IgnoredAny>,
    #[expect(dead_code, reason = "read from the node, which knows units")]
    pub(super) in_progress: Option<de::IgnoredAny>,
    pub(super) verify: Option<Value>,
    pub(super) key: Option<KeyForm>,
    pub(super) partition: Option<String>,
    pub(super) cost: Option<Cost>,
}
