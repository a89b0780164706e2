//! Answers that may be used again: fresh ones for everybody who asks, stale ones while the system is away, and one
//! call at a time for the same question.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use port::{Fault, Rejection};

use crate::policy;
use crate::tick::Tick;

/// A bounded cache of answers.
pub struct Cache<T> {
    policy: policy::Cache,
    slots: Mutex<HashMap<Box<str>, Arc<Slot<T>>>>,
}

/// One question. Whoever holds `answer` asks the system; the others wait for it and find the answer.
struct Slot<T> {
    answer: tokio::sync::Mutex<Answer<T>>,
    /// When the answer came; what came first is forgotten first.
    since: AtomicU64,
    /// Calls that are over.
    over: AtomicU64,
}

struct Answer<T> {
    good: Option<(T, Tick)>,
    /// The last failure, and which call of this slot it was.
    bad: Option<(Fault, u64)>,
}

/// A longer question is not kept.
const LONGEST_KEY: usize = 4_096;

impl<T: Clone> Cache<T> {
    /// An empty cache.
    pub fn new(policy: policy::Cache) -> Self {
        Self { policy, slots: Mutex::default() }
    }

    /// Answers `key` from the cache, or by `fetch`, waiting for another caller's fetch at most `limit`.
    /// If a caller that fetches goes away, the next one waiting fetches.
    ///
    /// # Errors
    /// What `fetch` failed with, unless an answer is there that may still be served.
    pub async fn through<F: Future<Output = Result<T, Fault>>>(
        &self,
        key: &str,
        now: impl Fn() -> Tick,
        limit: Option<Duration>,
        fetch: impl FnOnce() -> F,
    ) -> Result<T, Fault> {
        if key.len() > LONGEST_KEY {
            return fetch().await;
        }
        let slot = self.slot(key);
        let over = slot.over.load(Ordering::Acquire);
        let lock = tokio::time::timeout(limit.unwrap_or(Duration::MAX), slot.answer.lock());
        let Ok(mut answer) = lock.await else {
            return Err(Fault::rejected(Rejection::DeadlineTooNear, None));
        };
        if let Some((good, _)) = answer.good.as_ref().filter(|(_, at)| now().since(*at) < self.policy.ttl) {
            return Ok(good.clone());
        }
        // A call that ended while this one waited for it has failed for both.
        if let Some((fault, _)) = answer.bad.as_ref().filter(|(_, call)| *call > over) {
            return self.stale(&answer, now()).ok_or_else(|| fault.clone());
        }
        let result = fetch().await;
        let call = slot.over.fetch_add(1, Ordering::AcqRel) + 1;
        match result {
            Ok(good) => {
                slot.since.store(now().nanos(), Ordering::Relaxed);
                *answer = Answer { good: Some((good.clone(), now())), bad: None };
                Ok(good)
            }
            Err(fault) => {
                answer.bad = Some((fault.clone(), call));
                let away = fault.kind.may_pass() || fault.rejection.is_some();
                self.stale(&answer, now()).filter(|_| away).ok_or(fault)
            }
        }
    }

    /// An answer that is not fresh any more, but may be served while the system is away.
    fn stale(&self, answer: &Answer<T>, now: Tick) -> Option<T> {
        let longest = self.policy.ttl.saturating_add(self.policy.stale);
        let (good, _) = answer.good.as_ref().filter(|(_, at)| now.since(*at) < longest)?;
        Some(good.clone())
    }

    fn slot(&self, key: &str) -> Arc<Slot<T>> {
        let mut slots = self.slots.lock();
        if let Some(slot) = slots.get(key) {
            return Arc::clone(slot);
        }
        if slots.len() >= self.policy.entries.get() as usize {
            let oldest = slots.iter().min_by_key(|(_, slot)| slot.since.load(Ordering::Relaxed));
            let oldest = oldest.map(|(key, _)| key.clone());
            oldest.map(|key| slots.remove(&key));
        }
        let answer = Answer { good: None, bad: None };
        let (since, over) = (AtomicU64::new(0), AtomicU64::new(0));
        let slot = Arc::new(Slot { answer: tokio::sync::Mutex::new(answer), since, over });
        slots.insert(key.into(), Arc::clone(&slot));
        slot
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
