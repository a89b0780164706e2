//! What the gate can show and do about systems, without knowing what guards them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The guards of the systems, as the wiring knows them.
pub trait Control: Send + Sync + 'static {
    /// How the system is doing: breaker, calls in flight, last fault; `null` when nothing is known.
    fn status(&self, system: &str) -> Value;
    /// Closes the system's breaker and forgets its failures; its mode stays. `false` when it has none.
    fn reset(&self, system: &str) -> bool;
    /// Tells the system's breaker what to do until it is told otherwise; a restarted server's is automatic. The mode
    /// it was in; `None` when the system has no breaker.
    fn switch(&self, system: &str, mode: Mode) -> Option<Mode>;
}

/// What an operator tells a circuit breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Judge and act.
    Automatic,
    /// Reject every call.
    ForcedOpen,
    /// Let every call pass, judge none.
    Disabled,
    /// Judge and report, but let every call pass.
    ObserveOnly,
}

impl Mode {
    /// Every mode.
    pub const ALL: [Self; 4] = [Self::Automatic, Self::ForcedOpen, Self::Disabled, Self::ObserveOnly];

    /// The word in requests, answers and the log.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Automatic => "automatic",
            Self::ForcedOpen => "forced_open",
            Self::Disabled => "disabled",
            Self::ObserveOnly => "observe_only",
        }
    }
}
