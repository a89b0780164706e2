//! Answers that may be used again: fresh ones for everybody who asks, stale ones while the system is away, and one
//! call at a time for the same question.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;

use parking_lot::Mutex;
use port::{Fault, Kind, Rejection};

use crate::policy;
use crate::tick::Tick;

/// A bounded cache of answers.
pub struct Cache<T> {
    policy: policy::Cache,
    slots: Mutex<HashMap<Box<str>, Arc<Slot<T>>>>,
}

/// One question. Whoever has the turn asks the system; the others wait for it and hear what it heard.
struct Slot<T> {
    turn: tokio::sync::Mutex<()>,
    heard: Mutex<Heard<T>>,
}

/// What the system said.
struct Heard<T> {
    good: Option<(T, Tick)>,
    /// What the last call failed with, and until when it had time if that was too short.
    bad: Option<(Fault, Option<Tick>)>,
    /// Calls that are over.
    over: u64,
}

/// A longer question is not kept.
const LONGEST_KEY: usize = 4_096;

impl<T: Clone> Cache<T> {
    /// An empty cache.
    pub fn new(policy: policy::Cache) -> Self {
        Self { policy, slots: Mutex::default() }
    }

    /// Answers `key` from the cache, or by `fetch`, waiting for another caller's fetch until then at most. If a caller
    /// that fetches goes away, or fails because it had less time, the next one waiting fetches. Who has waited too long
    /// fetches too, and is told so by whoever keeps the time.
    ///
    /// # Errors
    /// What `fetch` failed with, unless an answer is there that may still be served.
    pub async fn through<F: Future<Output = Result<T, Fault>>>(
        &self,
        key: &str,
        now: impl Fn() -> Tick,
        until: Tick,
        fetch: impl FnOnce() -> F,
    ) -> Result<T, Fault> {
        let Some(slot) = self.slot(key) else { return fetch().await };
        if let Some(good) = self.fresh(&slot, now()) {
            return Ok(good);
        }
        let over = slot.heard.lock().over;
        let turn = tokio::time::timeout(until.since(now()), slot.turn.lock()).await;
        if turn.is_ok()
            && let Some(good) = self.fresh(&slot, now())
        {
            return Ok(good);
        }
        let shared = slot.heard.lock().failed_since(over, until).filter(|_| turn.is_ok());
        let result = match shared {
            Some(fault) => Err(fault),
            None => {
                let result = fetch().await;
                if turn.is_ok() {
                    slot.heard.lock().learn(&result, now(), until);
                }
                result
            }
        };
        result.or_else(|fault| self.stale(&slot, now(), &fault).ok_or(fault))
    }

    fn fresh(&self, slot: &Slot<T>, now: Tick) -> Option<T> {
        slot.heard.lock().younger(now, self.policy.ttl)
    }

    /// An answer that is not fresh any more, but may be served while the system is away.
    fn stale(&self, slot: &Slot<T>, now: Tick, fault: &Fault) -> Option<T> {
        let away = fault.kind.may_pass() || fault.rejection.is_some();
        let longest = self.policy.ttl.saturating_add(self.policy.stale);
        away.then(|| slot.heard.lock().younger(now, longest)).flatten()
    }

    /// The slot of a question; `None` when it cannot be kept: it is too long, or every other one is being asked.
    fn slot(&self, key: &str) -> Option<Arc<Slot<T>>> {
        if key.len() > LONGEST_KEY {
            return None;
        }
        let mut slots = self.slots.lock();
        if let Some(slot) = slots.get(key) {
            return Some(Arc::clone(slot));
        }
        if slots.len() >= self.policy.entries.get() as usize {
            // Whoever asks, or waits for an answer, holds the slot too.
            let unused = slots.iter().filter(|(_, slot)| Arc::strong_count(slot) == 1);
            let oldest = unused.min_by_key(|(_, slot)| slot.heard.lock().since())?.0.clone();
            slots.remove(&oldest);
        }
        let heard = Heard { good: None, bad: None, over: 0 };
        let slot = Arc::new(Slot { turn: tokio::sync::Mutex::default(), heard: Mutex::new(heard) });
        slots.insert(key.into(), Arc::clone(&slot));
        Some(slot)
    }

    /// How many questions are kept.
    pub fn len(&self) -> usize {
        self.slots.lock().len()
    }

    /// Whether nothing is kept.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<T: Clone> Heard<T> {
    fn younger(&self, now: Tick, age: std::time::Duration) -> Option<T> {
        self.good.as_ref().filter(|(_, at)| now.since(*at) < age).map(|(good, _)| good.clone())
    }

    /// A call that ended while this one waited for it has failed for both, unless it had less time.
    fn failed_since(&self, over: u64, until: Tick) -> Option<Fault> {
        let (fault, hurried) = self.bad.as_ref().filter(|_| self.over > over)?;
        hurried.is_none_or(|theirs| until <= theirs).then(|| fault.clone())
    }

    fn learn(&mut self, result: &Result<T, Fault>, now: Tick, until: Tick) {
        self.over += 1;
        match result {
            Ok(good) => (self.good, self.bad) = (Some((good.clone(), now)), None),
            Err(fault) => {
                let late = fault.kind == Kind::Timeout && now >= until;
                let hurried = late || fault.rejection == Some(Rejection::DeadlineTooNear);
                self.bad = Some((fault.clone(), hurried.then_some(until)));
            }
        }
    }

    /// When the answer came. What came first is forgotten first, and a question without an answer before that.
    fn since(&self) -> Option<Tick> {
        self.good.as_ref().map(|(_, at)| *at)
    }
}
