//! How far a follower of the log has come.

/// Written in the same batch as what the follower made of the events, so that none is handled twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which follower.
    pub name: String,
    /// The last position it has handled.
    pub position: u64,
}
