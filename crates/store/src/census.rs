//! How much there is of what somebody should know.

use jiff::Timestamp;

use crate::RunStatus;

/// What is there now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// Runs that have not ended, by status; a status of which there is none is not named.
    pub runs: Vec<(RunStatus, u64)>,
    /// Dead letters about which nobody has decided.
    pub dead: u64,
    /// Work that waits in the outbox.
    pub outbox: u64,
    /// Since when the oldest of it waits.
    pub outbox_since: Option<Timestamp>,
}
