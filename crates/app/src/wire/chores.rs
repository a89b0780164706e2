//! What is done now and then, as long as the house is open: forgetting what nobody needs to remember any longer.
//!
//! What is expired is only in the way, so being late does no harm: what cannot be forgotten now is forgotten later.

use std::fmt::Display;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use limits::postgres::Postgres;
use port::Clock;
use store::Store;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

const EVERY: Duration = Duration::from_secs(600);

/// The chores of a house. They end when dropped.
#[derive(Default)]
pub(super) struct Chores(JoinSet<()>);

impl Chores {
    /// Something that goes on by itself.
    pub(super) fn spawn(&mut self, chore: impl Future<Output = ()> + Send + 'static) {
        self.0.spawn(chore);
    }

    /// Idempotency records whose time is over. The store deletes in small batches between the commits of others.
    pub(super) fn forget_keys(&mut self, store: Store, clock: Arc<dyn Clock>) {
        self.forget("the store".to_owned(), move || {
            let (store, now) = (store.clone(), clock.now());
            async move { store.prune(now).await }
        });
    }

    /// What operators told breakers until a time; what waited for them goes on then.
    pub(super) fn end_orders(&mut self, modes: gate::Modes, engine: flow::Engine) {
        self.0.spawn(modes.follow(move |system| {
            let engine = engine.clone();
            async move {
                engine.wake(&system);
                if let Err(error) = engine.hurry(&system).await {
                    tracing::warn!(integration_system = system, %error, "messages wait for their time");
                }
            }
        }));
    }

    /// Rows that nobody counts with any more. Every node does it; one that finds nothing to do has done no harm.
    pub(super) fn forget_counts(&mut self, name: &str, store: Arc<Postgres>) {
        self.forget(format!("limit store {name}"), move || {
            let store = Arc::clone(&store);
            async move { store.forget_expired().await }
        });
    }

    /// Forgets at once, and then again and again. `forget` answers with the number of rows.
    fn forget<F, E>(&mut self, place: String, forget: impl Fn() -> F + Send + 'static)
    where
        F: Future<Output = Result<u64, E>> + Send,
        E: Display,
    {
        self.0.spawn(async move {
            let mut ticks = tokio::time::interval(EVERY);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                match forget().await {
                    Ok(0) => {}
                    Ok(rows) => tracing::info!(place, rows, "expired rows forgotten"),
                    Err(why) => tracing::warn!(place, %why, "expired rows cannot be forgotten now"),
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use port::SystemClock;
    use store::{Batch, KeyOp, KeyRecord, KeyState};

    use super::*;

    #[tokio::test]
    async fn a_key_is_forgotten_when_its_time_is_over() {
        let (store, clock) = (Store::temporary().unwrap(), SystemClock);
        let record = |key: &str, expires| KeyRecord {
            tenant: "t".into(),
            key: key.into(),
            fingerprint: [0; 32],
            owner: "o".into(),
            lease: store::Lease::default(),
            state: KeyState::InProgress,
            created: clock.now() - Duration::from_secs(20),
            expires,
        };
        let old = record("old", clock.now() - Duration::from_secs(10));
        let young = record("young", clock.now() + Duration::from_secs(1000));
        let keys = vec![KeyOp::Claim(old), KeyOp::Claim(young)];
        store.commit(Batch { keys, ..Batch::default() }).await.unwrap();
        let mut chores = Chores::default();
        chores.forget_keys(store.clone(), Arc::new(clock));
        while store.key("t", "old").await.unwrap().is_some() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert!(store.key("t", "young").await.unwrap().is_some());
    }
}
