//! What is known of a conversation: its events, folded.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use act::{Constraint, ConversationStatus, Participant};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Commitment, EntityState, Past, Wait};

/// What is known of a conversation. Everything but the name comes from its events.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Conversation {
    /// Its name.
    pub id: Arc<str>,
    /// On whose behalf it is held; empty until it began.
    pub tenant: Arc<str>,
    /// How many events it has.
    pub version: u64,
    /// How far it has come.
    pub status: ConversationStatus,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Over what it is held.
    pub channel: Option<String>,
    /// What the caller said about it.
    pub context: Option<Map<String, Value>>,
    /// Who takes part, by name.
    pub participants: BTreeMap<String, Participant>,
    /// Participants whose role and permissions were given by somebody who may speak for others.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub vouched: BTreeSet<String>,
    /// What is known of entities, by name.
    pub entities: BTreeMap<String, EntityState>,
    /// How much was said.
    pub counts: Counts,
    /// What open asks demand of the next value of a field.
    pub asks: BTreeMap<String, Vec<Constraint>>,
    /// What runs wait to hear, in the order in which they began to wait.
    pub waits: Vec<Wait>,
    /// Questions that are closed, the latest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub past: Vec<Past>,
    /// Commits that runs are at work on, by the act's name.
    pub commits: BTreeMap<String, Commitment>,
    /// Why it ended badly.
    pub error: Option<Value>,
    /// The latest time an act gave itself.
    pub latest: Option<Timestamp>,
}

/// How much was said.
#[derive(Clone, Copy, Debug, PartialEq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Acts.
    pub acts: u64,
    /// Error acts.
    pub errors: u64,
    /// Commits that succeeded.
    pub commits: u64,
    /// Acts that say how sure their speaker is.
    pub confident: u64,
    /// The sum of what they say.
    pub confidence: f64,
}

impl Conversation {
    /// A conversation of which nothing is known yet; fold its events into it.
    pub fn new(id: impl Into<Arc<str>>) -> Self {
        Self {
            id: id.into(),
            tenant: "".into(),
            version: 0,
            status: ConversationStatus::Active,
            started_at: None,
            ended_at: None,
            channel: None,
            context: None,
            participants: BTreeMap::new(),
            vouched: BTreeSet::new(),
            entities: BTreeMap::new(),
            counts: Counts::default(),
            asks: BTreeMap::new(),
            waits: Vec::new(),
            past: Vec::new(),
            commits: BTreeMap::new(),
            error: None,
            latest: None,
        }
    }

    /// Whether it has begun.
    pub fn exists(&self) -> bool {
        self.version > 0
    }

    /// The name of its stream.
    pub fn stream(&self) -> String {
        format!("conversation-{}", self.id)
    }

    /// The counts as the data model names them.
    pub fn metadata(&self) -> Map<String, Value> {
        let mut out = Map::new();
        out.insert("act_count".into(), self.counts.acts.into());
        out.insert("error_count".into(), self.counts.errors.into());
        out.insert("commit_count".into(), self.counts.commits.into());
        if self.counts.confident > 0 {
            #[expect(
                clippy::cast_precision_loss,
                reason = "a conversation has fewer acts than a double has integers"
            )]
            let average = self.counts.confidence / self.counts.confident as f64;
            out.insert("avg_confidence".into(), average.clamp(0.0, 1.0).into());
        }
        if let (Some(began), Some(ended)) = (self.started_at, self.ended_at) {
            let millis = ended.as_millisecond().saturating_sub(began.as_millisecond()).max(0);
            out.insert("total_duration_ms".into(), millis.into());
        }
        out
    }
}
