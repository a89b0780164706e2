//! An act on its way into its conversation.

use std::sync::Arc;

use act::{Act, Issue};
use serde_json::value::RawValue;
use store::KeyRecord;

use crate::Verdict;
use crate::identity::Identity;

/// One act on its way.
pub(crate) struct Arrival {
    pub(crate) act: Arc<Act>,
    /// The act, written once: for its fingerprint, its event and the answer.
    pub(crate) json: Arc<RawValue>,
    pub(crate) warnings: Vec<Issue>,
    pub(crate) record: KeyRecord,
    /// What it is, when it is a commit with a key.
    pub(crate) identity: Option<Identity>,
    /// What is known of its speaker.
    pub(crate) standing: react::Standing,
    /// Settled before any decision: refused at the door, or seen before.
    pub(crate) settled: Option<Verdict>,
}
