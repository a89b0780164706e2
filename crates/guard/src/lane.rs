//! What the calls of one key share: a breaker, a bulkhead and a limit.

use std::sync::Arc;
use std::time::Duration;

use crate::State;
use crate::breaker::Breaker;
use crate::bulkhead::Bulkhead;
use crate::limiter::Limiter;
use crate::policy::Policy;
use crate::shared::Till;
use crate::status::{LaneStatus, Named};
use crate::sync::{AtomicU64, Ordering};
use crate::tick::Tick;

/// One key's stages. Stages that are not configured are absent.
pub(crate) struct Lane {
    pub(crate) key: Box<str>,
    pub(crate) breaker: Option<Arc<Breaker>>,
    pub(crate) bulkhead: Option<Arc<Bulkhead>>,
    pub(crate) limit: Option<Arc<Limiter>>,
    /// Nothing is sent before this tick: the system asked for a pause.
    quiet_until: AtomicU64,
}

impl Lane {
    /// A lane of its own.
    pub(crate) fn new(key: &str, policy: &Policy, till: Option<&Till>) -> Self {
        Self {
            key: key.into(),
            breaker: policy.breaker.as_ref().map(|breaker| Arc::new(Breaker::new(breaker))),
            bulkhead: policy.bulkhead.as_ref().map(Bulkhead::new),
            limit: policy.limit.as_ref().map(|limit| Arc::new(Limiter::new(limit, key, till))),
            quiet_until: AtomicU64::new(0),
        }
    }

    /// Another lane with the same numbers and nothing in common.
    pub(crate) fn sibling(&self, key: &str, policy: &Policy, till: Option<&Till>) -> Self {
        let breaker = self.breaker.as_ref().map(|breaker| Arc::new(breaker.sibling()));
        Self { breaker, ..Self::new(key, &Policy { breaker: None, ..policy.clone() }, till) }
    }

    /// A lane that shares every stage whose numbers are the same: an operation with its own deadline still stands in
    /// the system's one queue.
    pub(crate) fn sharing(
        key: &str,
        policy: &Policy,
        lane: &Lane,
        theirs: &Policy,
        till: Option<&Till>,
    ) -> Self {
        let mut own = Self::new(key, policy, till);
        if policy.breaker == theirs.breaker {
            own.breaker.clone_from(&lane.breaker);
        }
        if policy.bulkhead == theirs.bulkhead {
            own.bulkhead.clone_from(&lane.bulkhead);
        }
        if policy.limit == theirs.limit {
            own.limit.clone_from(&lane.limit);
        }
        own
    }

    /// Whether every stage is another lane's.
    pub(crate) fn is_shared(policy: &Policy, theirs: &Policy) -> bool {
        policy.breaker == theirs.breaker && policy.bulkhead == theirs.bulkhead && policy.limit == theirs.limit
    }

    /// Whether it and `other` are judged together.
    pub(crate) fn has_breaker_of(&self, other: &Lane) -> bool {
        let both = self.breaker.as_ref().zip(other.breaker.as_ref());
        both.is_some_and(|(own, theirs)| Arc::ptr_eq(own, theirs))
    }

    /// The system asked to be left alone until then.
    pub(crate) fn quiet(&self, until: Tick) {
        self.quiet_until.fetch_max(until.nanos(), Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn quiet_until(&self) -> Tick {
        Tick::from_nanos(self.quiet_until.load(Ordering::Relaxed))
    }

    /// Whether forgetting this lane would change nothing.
    pub(crate) fn is_idle(&self, policy: &Policy, now: Tick) -> bool {
        let full = policy.limit.as_ref().map(|limit| limit.capacity / limit.weight.max(1));
        self.breaker.as_ref().is_none_or(|breaker| breaker.is_idle())
            && self
                .bulkhead
                .as_ref()
                .is_none_or(|bulkhead| bulkhead.in_flight() == 0 && bulkhead.queued() == 0)
            && self.limit.as_ref().is_none_or(|limit| limit.is_idle(full, now))
            && self.quiet_until() <= now
    }

    pub(crate) fn status(&self, name: Named, now: Tick) -> LaneStatus {
        let pause = self.quiet_until().since(now);
        let (breaker, bulkhead) = (self.breaker.as_deref(), self.bulkhead.as_ref());
        LaneStatus {
            operation: name.operation,
            key: name.key,
            state: breaker.map_or(State::Closed, Breaker::state),
            mode: breaker.map(Breaker::switch),
            open_for: breaker.and_then(|breaker| breaker.open_for(now)),
            paused_for: (pause > Duration::ZERO).then_some(pause),
            in_flight: bulkhead.map_or(0, |bulkhead| bulkhead.in_flight()),
            max_in_flight: bulkhead.map(|bulkhead| bulkhead.places()),
            queued: bulkhead.map_or(0, |bulkhead| bulkhead.queued()),
            tokens: self.limit.as_ref().and_then(|limit| limit.left(now)),
            limit_store: self.limit.as_ref().and_then(|limit| limit.store()).map(str::to_owned),
        }
    }
}
