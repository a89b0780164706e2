//! How much conversations keep.

/// How much conversations keep. Both numbers are defaults that configuration can change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Conversations kept in memory.
    pub kept: usize,
    /// Keys of commits that one organisation may have. They are kept as long as the log; a commit with a further one is
    /// refused, and none is forgotten.
    pub commit_keys: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { kept: 10_000, commit_keys: 10_000_000 }
    }
}
