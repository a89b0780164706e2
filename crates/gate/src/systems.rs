//! What the gate can show and do about systems, without knowing what guards them.

use serde_json::Value;

/// The guards of the systems, as the wiring knows them.
pub trait Control: Send + Sync + 'static {
    /// How the system is doing: breaker, calls in flight, last fault; `null` when nothing is known.
    fn status(&self, system: &str) -> Value;
    /// Closes the system's breaker and forgets its failures. `false` when it has none.
    fn reset(&self, system: &str) -> bool;
}
