//! The numbers of a guard, as plain data. Nothing here acts.

mod breaker;
mod check;
mod classify;
mod crowd;
mod extras;
pub(crate) mod profiles;
mod retry;
mod shared;

use std::time::Duration;

pub use breaker::{Breaker, ErrorRate, HalfOpen, Per, Slow, Window};
pub use check::Conflict;
pub use classify::{Class, Classify, Sign};
pub use crowd::{Adaptive, Algorithm, Bulkhead, Limit, Mode, Priority};
pub use extras::{Batch, Cache, Hedge};
pub use profiles::{profile, profiles};
pub use retry::{Budget, Jitter, Retry};
pub use shared::{Fallback, Shared};

/// How calls to one system, or to one of its operations, are guarded. `None` leaves a stage out.
///
/// The stages always run in the order of these fields: deadline → retry → (hedge) → breaker → bulkhead → limit →
/// attempt timeout. The order is not configurable, because every other order is a defect: a retry inside a
/// breaker hides failures from it, a limit outside a retry lets retries past it.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// The longest a whole call may take, waits and retries included. Default: none, the caller's deadline alone.
    pub deadline: Option<Duration>,
    /// How often a call is tried. Default: see [`Retry`].
    pub retry: Retry,
    /// A second copy of a slow, safe call. Default: none.
    pub hedge: Option<Hedge>,
    /// When to stop asking a system that does not answer. Default: see [`Breaker`].
    pub breaker: Option<Breaker>,
    /// How many calls may be out at once. Default: see [`Bulkhead`].
    pub bulkhead: Option<Bulkhead>,
    /// How many calls may start per second. Default: none.
    pub limit: Option<Limit>,
    /// The longest one attempt may take. Default: 30 s.
    pub attempt_timeout: Duration,
    /// Who goes first when the bulkhead has a queue. Default: normal.
    pub priority: Priority,
    /// Which faults count for or against the system, where that differs. Default: by their kind.
    pub classify: Classify,
    /// Answers to safe operations that may be used again. Default: none.
    pub cache: Option<Cache>,
}

impl Policy {
    /// What its stages are kept per: [`Per::System`], or the one thing that some of them are kept per.
    pub(crate) fn per(&self) -> Per {
        self.pers().find(|(_, per)| *per != Per::System).map_or(Per::System, |(_, per)| per)
    }

    /// What each stage is kept per, by its key.
    fn pers(&self) -> impl Iterator<Item = (&'static str, Per)> {
        let breaker = self.breaker.as_ref().map(|breaker| ("breaker.per", breaker.per));
        let bulkhead = self.bulkhead.as_ref().map(|bulkhead| ("bulkhead.per", bulkhead.per));
        let limit = self.limit.as_ref().map(|limit| ("limit.per", limit.per));
        [breaker, bulkhead, limit].into_iter().flatten()
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            deadline: None,
            retry: Retry::default(),
            hedge: None,
            breaker: Some(Breaker::default()),
            bulkhead: Some(Bulkhead::default()),
            limit: None,
            attempt_timeout: Duration::from_secs(30),
            priority: Priority::Normal,
            classify: Classify::default(),
            cache: None,
        }
    }
}
