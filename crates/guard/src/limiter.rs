//! The limit stage of a lane: counted in this process, or over all nodes.

use crate::limit::Limit;
use crate::policy;
use crate::shared::{SharedLimit, Till};
use crate::tick::Tick;

/// One lane's limit.
pub(crate) enum Limiter {
    Local(Limit),
    Shared(Box<SharedLimit>),
}

impl Limiter {
    /// `key` is the lane's; the till is there when the policy is shared.
    pub(crate) fn new(policy: &policy::Limit, key: &str, till: Option<&Till>) -> Self {
        match till {
            Some(till) => Limiter::Shared(Box::new(till.limit(policy, key))),
            None => Limiter::Local(Limit::new(policy)),
        }
    }

    /// Whole calls that could start at once; `None` when only the store knows.
    pub(crate) fn left(&self, now: Tick) -> Option<u32> {
        match self {
            Limiter::Local(limit) => Some(limit.left(now)),
            Limiter::Shared(_) => None,
        }
    }

    /// The name of the store in which it is counted, when that is not this process.
    pub(crate) fn store(&self) -> Option<&str> {
        match self {
            Limiter::Local(_) => None,
            Limiter::Shared(limit) => Some(limit.store()),
        }
    }

    /// Whether forgetting it would change nothing: it is full, or the store remembers.
    pub(crate) fn is_idle(&self, full: Option<u32>, now: Tick) -> bool {
        self.left(now).is_none_or(|left| Some(left) == full)
    }
}
