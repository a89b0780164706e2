//! What a run begins with: what it is for, on whose behalf, and where it stands among others.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::failure::Failure;
use super::lineage::Lineage;

/// What starts a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Start {
    /// The run's id; see [`crate::RunId`].
    pub run: String,
    /// The flow's name.
    pub flow: String,
    /// Content hash of the pinned definition; set by the engine.
    #[serde(default)]
    pub hash: String,
    /// The key under which runs go one at a time; set by the engine.
    #[serde(default)]
    pub key: Option<String>,
    /// The key space, when flows share it; else the flow's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) space: Option<String>,
    /// The places that the runs above hold: theirs is this one's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) held: Vec<LinePlace>,
    /// What the language of flows meant when the run was begun; set by the engine. 0 is that of version 0.1.0.
    #[serde(default)]
    pub language: u32,
    /// On whose behalf.
    pub tenant: String,
    /// The conversation that caused it.
    pub conversation: Option<String>,
    /// The commit act that caused it.
    pub commit: Option<String>,
    /// One id for everything that one request set in motion.
    pub correlation: String,
    /// The request's trace as a W3C `traceparent`; calls continue it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// The caller's own idempotency key; effects are keyed by it instead of the run's id.
    pub idempotency_key: Option<String>,
    /// How often that key's commit was tried anew after an end without effect: the effects of each try have keys of their own.
    #[serde(default, skip_serializing_if = "is_first")]
    pub generation: u32,
    /// The entity that the run above all of it is about, when another run began this one. Set by the engine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) about: Option<String>,
    /// `{entity, act, …}`: what expressions see as `input`; `entity` and `act` are names of their own.
    pub input: Value,
    /// How the keys of its effects are made; 0 is 0.1.0. Set by the engine.
    #[serde(default)]
    pub(crate) scheme: u8,
    /// The installation that it belongs to, part of its keys. Set by the engine.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) installation: String,
    /// The run and step that wait for this one.
    #[serde(default)]
    pub(crate) parent: Option<Parent>,
    /// The runs above it, when another run began it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lineage: Option<Lineage>,
    /// Why it may not stand there: it fails before its first step. Set by the engine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) refused: Option<Failure>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_first(generation: &u32) -> bool {
    *generation == 0
}

/// A place that a run has for its key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LinePlace {
    pub(crate) line: String,
    pub(crate) key: String,
}

impl Start {
    /// The entity that it is about.
    pub(crate) fn entity(&self) -> Option<&str> {
        self.input.pointer("/entity/id")?.as_str()
    }

    /// The entity that the run above all is about.
    pub(crate) fn root_entity(&self) -> Option<String> {
        self.about.clone().or_else(|| self.entity().map(str::to_owned))
    }

    /// The line in which it goes one at a time with others of its key, unless a run above it has that place.
    pub(crate) fn place(&self) -> Option<LinePlace> {
        let line = self.space.as_ref().unwrap_or(&self.flow).clone();
        let place = LinePlace { line, key: self.key.clone()? };
        (!self.held.contains(&place)).then_some(place)
    }
}

/// The run and step that wait for a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Parent {
    pub(crate) run: String,
    pub(crate) path: String,
}
