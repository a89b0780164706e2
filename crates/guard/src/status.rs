//! What a guard looks like right now, for `/metrics`, `/health/adapters` and `cardan system`.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::State;

/// One system's guard.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Status {
    /// The configured system.
    pub system: String,
    /// What the operator told all its breakers, and those yet to come; `None` when it has none. One that was told
    /// something of its own says so itself.
    pub mode: Option<Switch>,
    /// Retry tokens left.
    pub budget: u32,
    /// Retry tokens when full.
    pub budget_capacity: u32,
    /// Calls out, of all bulkheads together.
    pub in_flight: u32,
    /// Calls that may be out at once now, of all bulkheads together; `None` without any.
    pub max_in_flight: Option<u32>,
    /// Calls waiting for a place, of all bulkheads together.
    pub queued: u32,
    /// Per operation, the answer time that half of its calls stay under, once known.
    pub usual: BTreeMap<String, Duration>,
    /// One per breaker, sorted; that of a key appears with its first call.
    pub lanes: Vec<LaneStatus>,
}

/// One breaker with the bulkhead and limit that its calls pass; others may pass these too.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LaneStatus {
    /// The one operation whose calls it is for; `None`: those of all operations without breakers of their own.
    pub operation: Option<String>,
    /// The tenant or model whose calls it is for; `None`: those of all, or of all who no longer fit.
    pub key: Option<String>,
    /// What the breaker says. `closed` when there is none.
    pub state: State,
    /// What the operator told the breaker; `None` when there is none.
    pub mode: Option<Switch>,
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

/// What a breaker is for. Nothing named: for everything that has none of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Named {
    /// The operation whose calls pass it.
    pub operation: Option<String>,
    /// The tenant or model whose calls pass it.
    pub key: Option<String>,
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.operation, &self.key) {
            (None, None) => f.write_str("everything"),
            (Some(operation), None) => write!(f, "operation {operation:?}"),
            (None, Some(key)) => write!(f, "key {key:?}"),
            (Some(operation), Some(key)) => write!(f, "operation {operation:?} with key {key:?}"),
        }
    }
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
