//! What the calls of one key share: a breaker, a bulkhead and a limit.

use std::sync::Arc;
use std::time::Duration;

use crate::State;
use crate::apart::Apart;
use crate::breaker::Breaker;
use crate::bulkhead::Bulkhead;
use crate::limiter::Limiter;
use crate::policy::{self, Per, Policy};
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
    /// The same for one operation.
    pub(crate) apart: Apart,
}

/// Which stages the lane of a key has for itself.
#[derive(Clone, Copy)]
pub(crate) struct Own {
    breaker: bool,
    bulkhead: bool,
    limit: bool,
}

impl Own {
    /// Those that are kept per key and have not the numbers of `theirs`, whose lanes are shared.
    pub(crate) fn of(policy: &Policy, theirs: Option<&Policy>) -> Self {
        let keyed = |per: Option<Per>| per.is_some_and(|per| per != Per::System);
        let breaker = keyed(policy.breaker.as_ref().map(|breaker| breaker.per));
        let bulkhead = keyed(policy.bulkhead.as_ref().map(|bulkhead| bulkhead.per));
        let limit = keyed(policy.limit.as_ref().map(|limit| limit.per));
        Self {
            breaker: breaker && theirs.is_none_or(|theirs| policy.breaker != theirs.breaker),
            bulkhead: bulkhead && theirs.is_none_or(|theirs| policy.bulkhead != theirs.bulkhead),
            limit: limit && theirs.is_none_or(|theirs| policy.limit != theirs.limit),
        }
    }
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
            apart: Apart::default(),
        }
    }

    /// The lane of one key beside this one, which is everybody's: it shares the stages that are for the whole system.
    pub(crate) fn sibling(&self, key: &str, policy: &Policy, till: Option<&Till>) -> Self {
        let breaker = |own: &Arc<Breaker>, policy: &policy::Breaker| match policy.per {
            Per::System => Arc::clone(own),
            Per::Operation | Per::Tenant | Per::Model => Arc::new(own.sibling()),
        };
        let bulkhead = |own: &Arc<Bulkhead>, policy: &policy::Bulkhead| match policy.per {
            Per::System => Arc::clone(own),
            Per::Operation | Per::Tenant | Per::Model => Bulkhead::new(policy),
        };
        let limit = |own: &Arc<Limiter>, policy: &policy::Limit| match policy.per {
            Per::System => Arc::clone(own),
            Per::Operation | Per::Tenant | Per::Model => Arc::new(Limiter::new(policy, key, till)),
        };
        Self {
            key: key.into(),
            breaker: self
                .breaker
                .as_ref()
                .zip(policy.breaker.as_ref())
                .map(|(own, policy)| breaker(own, policy)),
            bulkhead: self
                .bulkhead
                .as_ref()
                .zip(policy.bulkhead.as_ref())
                .map(|(own, policy)| bulkhead(own, policy)),
            limit: self.limit.as_ref().zip(policy.limit.as_ref()).map(|(own, policy)| limit(own, policy)),
            quiet_until: AtomicU64::new(0),
            apart: Apart::default(),
        }
    }

    /// The same lane with every stage of `lane` whose numbers are the same: an operation with its own deadline still
    /// stands in the system's one queue.
    pub(crate) fn sharing(mut self, policy: &Policy, lane: &Lane, theirs: &Policy) -> Self {
        if policy.breaker == theirs.breaker {
            self.breaker.clone_from(&lane.breaker);
        }
        if policy.bulkhead == theirs.bulkhead {
            self.bulkhead.clone_from(&lane.bulkhead);
        }
        if policy.limit == theirs.limit {
            self.limit.clone_from(&lane.limit);
        }
        self
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

    /// It need not be left alone any more.
    pub(crate) fn end_pause(&self) {
        self.quiet_until.store(0, Ordering::Relaxed);
        self.apart.end();
    }

    #[inline]
    pub(crate) fn quiet_until(&self) -> Tick {
        Tick::from_nanos(self.quiet_until.load(Ordering::Relaxed))
    }

    /// Whether forgetting this lane would change nothing; `own` says which stages would go with it.
    pub(crate) fn is_idle(&self, own: Own, policy: &Policy, now: Tick) -> bool {
        let full = policy.limit.as_ref().map(|limit| limit.capacity / limit.weight.max(1));
        let nothing_out = |bulkhead: &Bulkhead| bulkhead.in_flight() == 0 && bulkhead.queued() == 0;
        self.breaker.as_deref().is_none_or(|breaker| !own.breaker || breaker.is_idle(now))
            && self.bulkhead.as_deref().is_none_or(|bulkhead| !own.bulkhead || nothing_out(bulkhead))
            && self.limit.as_deref().is_none_or(|limit| !own.limit || limit.is_idle(full, now))
            && self.quiet_until().max(self.apart.last()) <= now
    }

    /// Whether a stage of its own is shared by another lane.
    pub(crate) fn is_shared_by_others(&self, own: Own) -> bool {
        let breaker = own.breaker && self.breaker.as_ref().is_some_and(|own| Arc::strong_count(own) > 1);
        let bulkhead = own.bulkhead && self.bulkhead.as_ref().is_some_and(|own| Arc::strong_count(own) > 1);
        let limit = own.limit && self.limit.as_ref().is_some_and(|own| Arc::strong_count(own) > 1);
        breaker || bulkhead || limit
    }

    pub(crate) fn status(&self, name: Named, now: Tick) -> LaneStatus {
        let pause = self.quiet_until().max(self.apart.last()).since(now);
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
