//! A limit that several nodes count together.

use std::num::NonZeroU32;
use std::sync::Arc;

/// One count over all nodes, kept where all of them look. Which server a name stands for is the wiring's to know
/// ([`crate::World::sharing`]), so a policy holds no address and no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shared {
    /// The store's name.
    pub store: Arc<str>,
    /// What applies while the store is away.
    pub fallback: Fallback,
}

/// What applies to a shared limit while its store is away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fallback {
    /// Each node keeps to its part of the rate: capacity and refill divided by the number of nodes.
    LocalShare {
        /// Nodes in all. A call's weight must fit in one part.
        of: NonZeroU32,
    },
    /// Every call passes.
    Open,
    /// No call passes.
    Closed,
}

impl Fallback {
    /// `local_share`, `open`, `closed`.
    pub fn as_str(self) -> &'static str {
        match self {
            Fallback::LocalShare { .. } => "local_share",
            Fallback::Open => "open",
            Fallback::Closed => "closed",
        }
    }
}
