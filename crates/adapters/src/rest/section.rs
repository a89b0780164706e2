//! The section as it is written, before anything is judged.

use std::collections::BTreeMap;

use serde::{Deserialize, de};
use serde_json::Value;

use super::deadline::Format;
use super::key_form::KeyForm;
use super::secret::Name;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Section {
    pub(super) url: String,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    pub(super) auth: Option<Auth>,
    pub(super) health: Option<String>,
    #[expect(dead_code, reason = "read from the node, which knows units")]
    pub(super) max_response: Option<de::IgnoredAny>,
    pub(super) deadline_header: Option<DeadlineHeader>,
    #[serde(default)]
    pub(super) operations: BTreeMap<String, Operation>,
}

/// A name, or a name and a format.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "deadline_header is a name, or a mapping of `name` and `format`")]
pub(super) enum DeadlineHeader {
    Name(String),
    Formatted(Formatted),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Formatted {
    pub(super) name: String,
    pub(super) format: Option<Format>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Auth {
    ApiKey(ApiKey),
    Bearer(Name),
    Basic(Basic),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ApiKey {
    #[serde(default, rename = "in")]
    pub(super) place: Place,
    #[serde(default = "api_key_header")]
    pub(super) name: String,
    #[serde(default)]
    pub(super) prefix: String,
    pub(super) value: Name,
}

fn api_key_header() -> String {
    "X-API-Key".to_owned()
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Place {
    #[default]
    Header,
    Query,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Basic {
    pub(super) user: String,
    pub(super) password: Name,
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
    pub(super) body: Option<String>,
    pub(super) repeat: Option<port::Repeat>,
    pub(super) undo: Option<String>,
    pub(super) input: Option<Value>,
    pub(super) output: Option<Value>,
    pub(super) idempotency_header: Option<String>,
    #[serde(default)]
    pub(super) ok: Vec<u16>,
    #[expect(dead_code, reason = "read from the node, which knows units")]
    pub(super) settles_within: Option<de::IgnoredAny>,
    #[expect(dead_code, reason = "read from the node, which knows units")]
    pub(super) in_progress: Option<de::IgnoredAny>,
    pub(super) verify: Option<Value>,
    pub(super) key: Option<KeyForm>,
}
