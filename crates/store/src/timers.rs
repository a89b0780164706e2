//! Timers: when to look at a run again.

use jiff::Timestamp;

/// Sets or clears a timer with a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TimerOp {
    /// Sets the timer, or moves it when it is there.
    Set(Timer),
    /// Removes it; nothing happens when it is not there.
    Clear {
        /// The timer's id.
        id: String,
    },
}

/// A timer as it stands. It stays until cleared, so that firing survives a crash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timer {
    /// Unique in the store.
    pub id: String,
    /// The run to look at.
    pub run: String,
    /// The step that waits.
    pub step: String,
    /// When.
    pub due: Timestamp,
}
