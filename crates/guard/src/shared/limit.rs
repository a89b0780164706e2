//! One limit of one lane, counted in a store.

use std::sync::Arc;
use std::time::Duration;

use port::Entropy;

use super::store::Ask;
use super::{Key, Rule, Store};
use crate::event::{Event, Place};
use crate::limit::{Limit, TooMany};
use crate::pipeline::World;
use crate::policy::{self, Fallback, Mode};
use crate::sync::{AtomicU64, Ordering};
use crate::tick::Tick;

/// Takes turns in a store; falls back as declared when the store is away.
pub(crate) struct SharedLimit {
    store: Arc<Store>,
    key: Key,
    rule: Rule,
    max_wait: Duration,
    fallback: Fallback,
    /// This node's part, for `local_share`.
    share: Option<Limit>,
    /// The store said that there is no turn before this tick, so until then it need not be asked to refuse.
    none_before: AtomicU64,
}

/// A call that wants a turn.
pub(crate) struct Caller<'a> {
    pub(crate) world: &'a World,
    pub(crate) entropy: &'a dyn Entropy,
    pub(crate) place: &'a Place<'a>,
    /// The system asked for a pause until then.
    pub(crate) quiet_until: Tick,
    /// How long the call may wait.
    pub(crate) most: Option<Duration>,
    /// As much as so many calls.
    pub(crate) cost: u32,
}

impl SharedLimit {
    pub(super) fn new(policy: &policy::Limit, key: Key, store: Arc<Store>) -> Self {
        let shared = policy.shared.as_ref();
        let fallback = shared.map_or(Fallback::Closed, |shared| shared.fallback);
        let share = match fallback {
            Fallback::LocalShare { of } => Some(Limit::new(&part(policy, of.get()))),
            Fallback::Open | Fallback::Closed => None,
        };
        let max_wait = match policy.mode {
            Mode::Wait { max_wait } => max_wait,
            Mode::Reject => Duration::ZERO,
        };
        let none_before = AtomicU64::new(0);
        Self { store, key, rule: Rule::new(policy), max_wait, fallback, share, none_before }
    }

    /// The name of its store.
    pub(crate) fn store(&self) -> &str {
        self.store.name()
    }

    /// Takes a turn: `Ok(how long to wait for it)`. A pause is waited out first, because a turn taken now for later
    /// would be one that another node could have used meanwhile.
    ///
    /// # Errors
    /// [`TooMany`]; nothing is spent.
    pub(crate) async fn take(&self, caller: &Caller<'_>) -> Result<Duration, TooMany> {
        let bound = caller.most.map_or(self.max_wait, |most| most.min(self.max_wait));
        let pause = caller.quiet_until.since(caller.world.now());
        if pause > bound {
            return Err(TooMany { retry_after: pause });
        }
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
        self.turn(caller, bound.saturating_sub(pause)).await
    }

    async fn turn(&self, caller: &Caller<'_>, wait: Duration) -> Result<Duration, TooMany> {
        let now = caller.world.now();
        let known = Tick::from_nanos(self.none_before.load(Ordering::Relaxed)).since(now);
        if known > wait {
            return Err(TooMany { retry_after: known });
        }
        let (world, entropy, rule) = (caller.world, caller.entropy, &self.rule.costing(caller.cost));
        match self.store.ask(&Ask { key: &self.key, rule, wait, world, entropy }).await {
            // That there is no turn for much says nothing of one for less.
            Some(Err(late)) if caller.cost > 1 => Err(late),
            Some(answer) => answer.inspect_err(|late| self.remember(now, late)),
            None => self.fall_back(caller, wait),
        }
    }

    /// Counted from before the question, so that it is never too long.
    fn remember(&self, asked: Tick, late: &TooMany) {
        self.none_before.store((asked + late.retry_after).nanos(), Ordering::Relaxed);
    }

    fn fall_back(&self, caller: &Caller<'_>, wait: Duration) -> Result<Duration, TooMany> {
        let (place, fallback, now) = (caller.place, self.fallback, caller.world.now());
        caller.world.listener.hear(&Event::LimitFallback { place, store: self.store.name(), fallback });
        match (&self.share, fallback) {
            (Some(share), _) => share.take_for(caller.cost, now, now, Some(wait)),
            (None, Fallback::Open) => Ok(Duration::ZERO),
            (None, _) => Err(TooMany { retry_after: self.store.asked_in(now) }),
        }
    }
}

/// One node's part of a limit. The parts together are never more than the whole.
fn part(policy: &policy::Limit, of: u32) -> policy::Limit {
    policy::Limit {
        capacity: policy.capacity / of,
        refill_per_second: policy.refill_per_second / f64::from(of),
        shared: None,
        ..policy.clone()
    }
}
