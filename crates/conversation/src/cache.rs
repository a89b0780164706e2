//! One lock per conversation, and what is known of it while it is used.
//!
//! Bounded: beyond the limit the least recently used are forgotten, never one that somebody holds. What is
//! forgotten is read again from the store.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex as Quick;
use tokio::sync::{Mutex, OwnedMutexGuard};

/// What is known of a conversation; `None` until it was read, and after a write whose end was not seen.
pub(crate) type Slot<T> = Arc<Mutex<Option<T>>>;

/// A conversation's lock while it is held.
pub(crate) type Held<T> = OwnedMutexGuard<Option<T>>;

/// The conversations in use.
pub(crate) struct Cache<T> {
    limit: usize,
    entries: Quick<Entries<T>>,
}

struct Entries<T> {
    by_id: HashMap<Arc<str>, Entry<T>>,
    /// Counts uses; stands for time.
    used: u64,
}

struct Entry<T> {
    slot: Slot<T>,
    used: u64,
}

impl<T> Cache<T> {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit: limit.max(1), entries: Quick::new(Entries { by_id: HashMap::new(), used: 0 }) }
    }

    /// Takes the conversation's lock, in the order of asking.
    pub(crate) async fn lock(&self, id: &str) -> Held<T> {
        self.slot(id).lock_owned().await
    }

    fn slot(&self, id: &str) -> Slot<T> {
        let mut entries = self.entries.lock();
        entries.used += 1;
        let used = entries.used;
        if let Some(entry) = entries.by_id.get_mut(id) {
            entry.used = used;
            return entry.slot.clone();
        }
        if entries.by_id.len() >= self.limit {
            entries.forget(self.limit / 8 + 1);
        }
        let slot = Slot::default();
        entries.by_id.insert(id.into(), Entry { slot: slot.clone(), used });
        slot
    }
}

impl<T> Entries<T> {
    /// Forgets about `count` of those used longest ago, all at once so that it costs little on average.
    fn forget(&mut self, count: usize) {
        let idle = |entry: &Entry<T>| Arc::strong_count(&entry.slot) == 1;
        let mut ages: Vec<u64> =
            self.by_id.values().filter(|entry| idle(entry)).map(|entry| entry.used).collect();
        if ages.is_empty() {
            return;
        }
        let last = count.min(ages.len()) - 1;
        let (_, oldest, _) = ages.select_nth_unstable(last);
        let oldest = *oldest;
        self.by_id.retain(|_, entry| entry.used > oldest || !idle(entry));
    }
}

#[cfg(test)]
mod tests {
    use super::Cache;

    #[tokio::test]
    async fn the_least_recently_used_are_forgotten_and_held_ones_are_not() {
        let cache = Cache::new(8);
        let held = cache.lock("held").await;
        for number in 0..100 {
            *cache.lock(&number.to_string()).await = Some(number);
        }
        assert!(cache.entries.lock().by_id.len() <= 9);
        assert_eq!(*cache.lock("99").await, Some(99));
        assert_eq!(*cache.lock("0").await, None);
        assert!(cache.entries.lock().by_id.contains_key("held"));
        drop(held);
    }

    #[tokio::test]
    async fn one_conversation_has_one_lock() {
        let cache = std::sync::Arc::new(Cache::<u32>::new(2));
        let tasks: Vec<_> = (0..50)
            .map(|_| {
                let cache = cache.clone();
                tokio::spawn(async move {
                    let mut count = cache.lock("a").await;
                    let seen = count.unwrap_or(0);
                    tokio::task::yield_now().await;
                    *count = Some(seen + 1);
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(*cache.lock("a").await, Some(50));
    }
}
