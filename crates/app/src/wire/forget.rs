//! Forgetting what the store need not remember any longer: idempotency records whose time is over.

use std::sync::Arc;
use std::time::Duration;

use port::Clock;
use store::{Error, Store};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

/// How often: an expired record is nothing but in the way, so being late does no harm.
const EVERY: Duration = Duration::from_secs(600);

/// Adds the forgetting to the chores. The store deletes in small batches between the commits of others.
pub(super) fn expired(store: Store, clock: Arc<dyn Clock>, chores: &mut JoinSet<()>) {
    chores.spawn(async move {
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            forgot(store.prune(clock.now()).await);
        }
    });
}

/// What cannot be forgotten now is forgotten later.
fn forgot(outcome: Result<u64, Error>) {
    match outcome {
        Ok(0) => {}
        Ok(rows) => tracing::info!(rows, "expired rows forgotten"),
        Err(error) => tracing::warn!(%error, "expired rows cannot be forgotten now"),
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
            state: KeyState::InProgress,
            created: clock.now() - Duration::from_secs(20),
            expires,
        };
        let old = record("old", clock.now() - Duration::from_secs(10));
        let young = record("young", clock.now() + Duration::from_secs(1000));
        let keys = vec![KeyOp::Claim(old), KeyOp::Claim(young)];
        store.commit(Batch { keys, ..Batch::default() }).await.unwrap();
        let mut chores = JoinSet::new();
        expired(store.clone(), Arc::new(clock), &mut chores);
        while store.key("t", "old").await.unwrap().is_some() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert!(store.key("t", "young").await.unwrap().is_some());
    }
}
