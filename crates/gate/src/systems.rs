//! What the gate can show and do about systems, without knowing what guards them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The guards of the systems, as the wiring knows them.
pub trait Control: Send + Sync + 'static {
    /// How the system is doing: breaker, calls in flight, last fault; `null` when nothing is known.
    fn status(&self, system: &str) -> Value;
    /// Closes breakers and forgets their failures; their modes stay.
    ///
    /// # Errors
    /// Why there is no such breaker, and which there are. Nothing was reset.
    fn reset(&self, system: &str, which: &Which) -> Result<(), String>;
    /// Tells breakers what to do until they are told otherwise. The mode they were in; `None` when that was not the same
    /// for all.
    ///
    /// # Errors
    /// Why there is no such breaker, and which there are. Nothing was told.
    fn switch(&self, system: &str, which: &Which, mode: Mode) -> Result<Option<Mode>, String>;
    /// Tells them again what they were told before this process began, also those of a key that nobody has called for yet.
    ///
    /// # Errors
    /// Why there is no such breaker any more. Nothing was told.
    fn restore(&self, system: &str, which: &Which, mode: Mode) -> Result<(), String> {
        self.switch(system, which, mode).map(drop)
    }
}

/// Which breakers of a system are meant: those that have every name given, so all of them when none is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Which {
    /// Those of one operation.
    pub operation: Option<String>,
    /// Those of one tenant or model.
    pub key: Option<String>,
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
