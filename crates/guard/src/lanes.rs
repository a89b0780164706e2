//! The lanes of one policy: one for all calls, or one per operation, tenant or model, within a bound.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use parking_lot::Mutex;

use crate::lane::{Lane, Own};
use crate::policy::{Breaker, Per, Policy};
use crate::shared::Till;
use crate::status::{Named, Switch};
use crate::tick::Tick;

/// The keys are few and bounded, so a quick hash with a seed of its own is enough.
type Map = HashMap<Box<str>, Arc<Lane>, foldhash::quality::RandomState>;

/// Reading takes no lock; a new key copies the map, which is bounded.
pub(crate) struct Lanes {
    policy: Arc<Policy>,
    /// What a lane stands for.
    per: Per,
    /// What a lane has for itself.
    own: Own,
    /// Whose lanes these are, when not all of the system's.
    operation: Option<Box<str>>,
    /// Whose stages are shared where the numbers are the same.
    base: Option<Arc<Lanes>>,
    /// The one lane, when there is one for all; else the lane of those that no longer fit.
    common: Arc<Lane>,
    keyed: ArcSwap<Map>,
    writing: Mutex<()>,
    max: usize,
    /// Until this tick nobody looks again whether a lane is idle.
    full_until: AtomicU64,
    /// Where a shared limit is counted.
    till: Option<Till>,
}

/// How long newcomers share the common lane before it is looked again whether there is room. To look at every lane
/// for each call would cost most when there is most to do.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// A lane, borrowed or kept.
pub(crate) enum LaneRef<'a> {
    Common(&'a Lane),
    Keyed(Arc<Lane>),
}

impl Deref for LaneRef<'_> {
    type Target = Lane;

    fn deref(&self) -> &Lane {
        match self {
            LaneRef::Common(lane) => lane,
            LaneRef::Keyed(lane) => lane,
        }
    }
}

impl Lanes {
    /// `name` is the key of the common lane. With a base, the other keys get it as a prefix, so that a lane of the
    /// operation is not taken for one of the system.
    pub(crate) fn new(name: &str, policy: Arc<Policy>, base: Option<Arc<Lanes>>, till: Option<Till>) -> Self {
        let operation = base.is_some().then(|| name.into());
        let common = Lane::new(name, &policy, till.as_ref());
        let common = match &base {
            Some(base) => common.sharing(&policy, &base.common, &base.policy),
            None => common,
        };
        let max = policy.breaker.as_ref().map_or(Breaker::default().max_keys, |breaker| breaker.max_keys);
        Self {
            per: policy.per(),
            own: Own::of(&policy, base.as_ref().map(|base| &*base.policy)),
            policy,
            operation,
            base,
            common: Arc::new(common),
            keyed: ArcSwap::default(),
            writing: Mutex::new(()),
            max: max as usize,
            full_until: AtomicU64::new(0),
            till,
        }
    }

    /// What a lane stands for.
    #[inline]
    pub(crate) fn per(&self) -> Per {
        self.per
    }

    /// What a breaker stands for.
    pub(crate) fn breakers_per(&self) -> Per {
        self.policy.breaker.as_ref().map_or(Per::System, |breaker| breaker.per)
    }

    /// The lane of `key`. Keys mean nothing when there is one lane for all.
    #[inline]
    pub(crate) fn get(&self, key: &str, now: Tick) -> LaneRef<'_> {
        if self.per == Per::System {
            return LaneRef::Common(&self.common);
        }
        match self.keyed.load().get(key) {
            Some(lane) => LaneRef::Keyed(Arc::clone(lane)),
            None => self.open(key, now),
        }
    }

    /// Makes a lane for a new key, forgetting idle ones if there are too many.
    #[cold]
    fn open(&self, key: &str, now: Tick) -> LaneRef<'_> {
        if now.nanos() < self.full_until.load(Ordering::Relaxed) {
            return LaneRef::Common(&self.common);
        }
        let _alone = self.writing.lock();
        let keyed = self.keyed.load();
        if let Some(lane) = keyed.get(key) {
            return LaneRef::Keyed(Arc::clone(lane));
        }
        if keyed.len() < self.max {
            return LaneRef::Keyed(self.add(Map::clone(&keyed), key, now));
        }
        let busy = keyed.iter().filter(|(_, lane)| self.is_busy(lane, now));
        let busy: Map = busy.map(|(key, lane)| (key.clone(), Arc::clone(lane))).collect();
        if busy.len() >= self.max {
            self.full_until.store((now + LOOK_AGAIN).nanos(), Ordering::Relaxed);
            return LaneRef::Common(&self.common);
        }
        LaneRef::Keyed(self.add(busy, key, now))
    }

    /// Whether something would be lost with a lane of the published map, which holds it once.
    fn is_busy(&self, lane: &Arc<Lane>, now: Tick) -> bool {
        Arc::strong_count(lane) > 1
            || lane.is_shared_by_others(self.own)
            || !lane.is_idle(self.own, &self.policy, now)
    }

    /// The lane of `key` with a breaker that no other key shares, made if it is not there. For the few keys that an
    /// operator names: no bound keeps them out. A breaker that is told something is not idle, so nobody forgets it.
    pub(crate) fn insist(&self, key: &str, now: Tick) -> Arc<Lane> {
        let _alone = self.writing.lock();
        let keyed = self.keyed.load();
        let own = keyed.get(key).filter(|lane| !lane.has_breaker_of(&self.common));
        own.map_or_else(|| self.add(Map::clone(&keyed), key, now), Arc::clone)
    }

    /// Whoever calls it writes alone.
    fn add(&self, mut map: Map, key: &str, now: Tick) -> Arc<Lane> {
        let lane = Arc::new(self.lane(key, now));
        map.insert(key.into(), Arc::clone(&lane));
        self.keyed.store(Arc::new(map));
        lane
    }

    /// Whose lanes these are; `None`: those of all operations without lanes of their own.
    pub(crate) fn operation(&self) -> Option<&str> {
        self.operation.as_deref()
    }

    /// Whether calls of `operation` may pass here.
    pub(crate) fn is_for(&self, operation: &str) -> bool {
        self.operation().is_none_or(|own| own == operation)
    }

    /// Whether there is a lane for `key`.
    pub(crate) fn knows(&self, key: &str) -> bool {
        self.keyed.load().contains_key(key)
    }

    /// Whether there are breakers here that are not another's.
    pub(crate) fn has_breakers(&self) -> bool {
        self.policy.breaker.is_some()
            && self.base.as_ref().is_none_or(|base| base.policy.breaker != self.policy.breaker)
    }

    fn lane(&self, key: &str, now: Tick) -> Lane {
        let sibling = |name: &str| self.common.sibling(name, &self.policy, self.till.as_ref());
        let Some(base) = &self.base else { return sibling(key) };
        let own = sibling(&format!("{}/{key}", self.common.key));
        // Kept per something else, they have no stage per key in common.
        let theirs = if base.per == self.per { base.get(key, now) } else { LaneRef::Common(&base.common) };
        own.sharing(&self.policy, &theirs, &base.policy)
    }

    /// Tells every breaker, also the one that lanes yet to come take after.
    pub(crate) fn switch(&self, switch: Switch) {
        // A lane that is being made now would still take after what was told before.
        let _alone = self.writing.lock();
        self.every().iter().filter_map(|lane| lane.breaker.as_ref()).for_each(|own| own.set(switch));
    }

    /// The same, to keep.
    pub(crate) fn keep(&self, key: &str, now: Tick) -> Arc<Lane> {
        match self.get(key, now) {
            LaneRef::Common(_) => Arc::clone(&self.common),
            LaneRef::Keyed(lane) => lane,
        }
    }

    /// The lanes that are told apart: the keyed ones, and the common one when it is in use. None when all their stages
    /// are another's.
    pub(crate) fn shown(&self, now: Tick) -> Vec<(Named, Arc<Lane>)> {
        if self.base.as_ref().is_some_and(|base| Lane::is_shared(&self.policy, &base.policy)) {
            return Vec::new();
        }
        let keyed = self.keyed.load();
        let mut lanes: Vec<_> = keyed.iter().map(|(key, lane)| (self.named(key), Arc::clone(lane))).collect();
        if lanes.is_empty() || !self.common.is_idle(self.own, &self.policy, now) {
            let operation = self.operation().map(str::to_owned);
            lanes.push((Named { operation, key: None }, Arc::clone(&self.common)));
        }
        lanes.sort_by(|(one, _), (other, _)| one.cmp(other));
        lanes
    }

    fn named(&self, key: &str) -> Named {
        match self.per {
            Per::Operation => Named { operation: Some(key.to_owned()), key: None },
            Per::System | Per::Tenant | Per::Model => {
                Named { operation: self.operation().map(str::to_owned), key: Some(key.to_owned()) }
            }
        }
    }

    /// Every lane there is, also where all stages are another's.
    pub(crate) fn every(&self) -> Vec<Arc<Lane>> {
        let keyed = self.keyed.load();
        keyed.values().chain([&self.common]).cloned().collect()
    }
}
