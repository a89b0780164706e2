//! How a store is doing, and what a look at all of it has found.

/// How the store is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// Position of the last visible event.
    pub head: u64,
    /// Batches waiting for the writer.
    pub queued: usize,
    /// Whether the last write found no space. Becomes false by itself when there is space again.
    pub full: bool,
    /// What failed, when nothing more is written until the store is opened again.
    pub fenced: Option<String>,
}

impl Health {
    /// Whether a commit can be expected to succeed.
    pub fn is_ready(&self) -> bool {
        !self.full && self.fenced.is_none()
    }
}

/// What [`crate::Store::verify`] looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// Events whose checksum, position and version are right.
    pub events: u64,
    /// Streams they belong to.
    pub streams: u64,
}
