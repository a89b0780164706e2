//! What a guard looks like right now, for `/metrics`, `/health/adapters` and `cardan system`.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use crate::State;

/// One system's guard.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Status {
    /// The configured system.
    pub system: String,
    /// What the operator told its breakers; `None` when it has none.
    pub mode: Option<Switch>,
    /// Retry tokens left.
    pub budget: u32,
    /// Retry tokens when full.
    pub budget_capacity: u32,
    /// Per operation, the answer time that half of its calls stay under, once known.
    pub usual: BTreeMap<String, Duration>,
    /// One per breaker key, sorted; a key appears with its first call.
    pub lanes: Vec<LaneStatus>,
}

/// One breaker key with its bulkhead and limit.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LaneStatus {
    /// The operation, tenant or model; the system's name when there is one for all.
    pub key: String,
    /// What the breaker says. `closed` when there is none.
    pub state: State,
    /// What the operator told the breaker.
    pub mode: Switch,
    /// How long until the first probe, when open.
    pub open_for: Option<Duration>,
    /// How long the system asked us to be quiet.
    pub paused_for: Option<Duration>,
    /// Calls out.
    pub in_flight: u32,
    /// Calls that may be out at once now; adaptive concurrency moves it.
    pub max_in_flight: Option<u32>,
    /// Calls waiting for a place.
    pub queued: u32,
    /// Calls the limit would let start now; unknown when the limit is shared.
    pub tokens: Option<u32>,
    /// The store in which a shared limit is counted.
    pub limit_store: Option<String>,
}

/// What the operator told a breaker to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Switch {
    /// Judge and act.
    #[default]
    #[serde(rename = "automatic")]
    Auto,
    /// Reject everything.
    ForcedOpen,
    /// Let everything pass, judge nothing.
    Disabled,
    /// Judge and report, but let everything pass.
    ObserveOnly,
}
