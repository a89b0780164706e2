//! What makes a commit that commit: organisation, conversation, speaker, entity, system, action and whatever else the act
//! says, but for what says only how it came here.

use act::{Act, Body, Commit, CommitStatus};
use aws_lc_rs::digest::{Context, SHA256};
use serde_json::Value;

use crate::{Deciding, record_name};

/// The identity of a commit with a key.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    /// Under which name it is kept.
    pub(crate) key: String,
    parts: Vec<(String, String)>,
    pub(crate) fingerprint: [u8; 32],
}

impl Identity {
    /// The identity of an act; `None` when it is no commit with a key that wants something done.
    pub(crate) fn of(by: &Deciding, tenant: &str, conversation: &str, act: &Act) -> Option<Self> {
        let Body::Commit(commit) = &act.body else { return None };
        let key = commit.idempotency_key.as_deref().filter(|_| commit.state() == CommitStatus::Pending)?;
        let parts = parts(by, conversation, act, commit);
        let flat = parts.iter().flat_map(|(pointer, text)| [pointer.as_str(), text.as_str()]);
        let fingerprint = digest(["cardan commit 1", tenant].into_iter().chain(flat));
        let key = record_of(key);
        Some(Self { key, parts, fingerprint })
    }

    /// Where another commit differs. Of a commit of another conversation or speaker nothing more is told.
    pub(crate) fn differs<'a>(&'a self, other: &'a Self) -> Vec<&'a str> {
        let told =
            |(pointer, text): &(String, String)| !other.parts.iter().any(|(p, t)| p == pointer && t == text);
        let gone = |(pointer, _): &(String, String)| !self.parts.iter().any(|(p, _)| p == pointer);
        let all =
            self.parts.iter().filter(|part| told(part)).chain(other.parts.iter().filter(|part| gone(part)));
        let all: Vec<&str> = all.map(|(pointer, _)| pointer.as_str()).collect();
        match all.iter().find(|pointer| [CONVERSATION, SPEAKER].contains(*pointer)) {
            Some(foreign) => vec![foreign],
            None => all,
        }
    }
}

/// Under which name a key's record is kept.
pub(crate) fn record_of(key: &str) -> String {
    record_name(PREFIX, &digest(["cardan commit key 1", key]))
}

const CONVERSATION: &str = "/metadata/conversation_id";
const SPEAKER: &str = "/speaker";

/// Members that say how a commit came here, not what it wants.
const ENVELOPE: [&str; 10] = [
    "id",
    "timestamp",
    "confidence",
    "source",
    "retry_count",
    "status",
    "idempotency_key",
    "speaker",
    "system",
    "metadata",
];
/// Members of the metadata that do.
const TRACE: [&str; 12] = [
    "cardan",
    "conversation_id",
    "correlation_id",
    "causation_id",
    "request_id",
    "trace_id",
    "span_id",
    "parent_span_id",
    "traceparent",
    "tracestate",
    "baggage",
    "processing_time_ms",
];

/// What makes a commit that commit: pointers and values.
fn parts(by: &Deciding, conversation: &str, act: &Act, commit: &Commit) -> Vec<(String, String)> {
    let system = commit.system.as_deref().map(|name| by.rules.system(name)).unwrap_or_default();
    let mut parts = vec![
        (CONVERSATION.to_owned(), conversation.to_owned()),
        (SPEAKER.to_owned(), act.speaker.clone()),
        ("/system".to_owned(), system),
    ];
    let Value::Object(members) = act.to_value() else { return parts };
    let own = members.iter().filter(|(name, _)| !ENVELOPE.contains(&name.as_str()));
    parts.extend(own.map(|(name, value)| (format!("/{name}"), value.to_string())));
    let meta = act.metadata.iter().flatten().filter(|(name, _)| !TRACE.contains(&name.as_str()));
    parts.extend(meta.map(|(name, value)| (format!("/metadata/{name}"), value.to_string())));
    parts
}

/// A digest of parts, each with its length before it: no two lists of parts are alike.
pub fn digest<'a>(parts: impl IntoIterator<Item = &'a str>) -> [u8; 32] {
    let mut digest = Context::new(&SHA256);
    for part in parts {
        digest.update(&(part.len() as u64).to_le_bytes());
        digest.update(part.as_bytes());
    }
    let mut out = [0; 32];
    out.copy_from_slice(digest.finish().as_ref());
    out
}

/// How the names of records begin.
pub(crate) const PREFIX: &str = "commit/";
