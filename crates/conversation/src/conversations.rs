//! The conversations of every organisation, and the one commit by which anything of them becomes durable.

use std::sync::Arc;

use port::Clock;
use store::{Batch, Store};

use crate::cache::{Cache, Held};
use crate::insist::{Insist, insist};
use crate::known::Known;
use crate::share::Shares;
use crate::work::Done;
use crate::{Deciding, Error, Limits, Telemetry};

/// The conversations of every organisation.
pub struct Conversations {
    pub(crate) store: Store,
    pub(crate) deciding: Deciding,
    pub(crate) cache: Cache<Known>,
    pub(crate) shares: Arc<Shares>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) telemetry: Arc<dyn Telemetry>,
}

impl Conversations {
    /// Those of a store.
    pub fn new(
        store: Store,
        deciding: Deciding,
        limits: Limits,
        clock: Arc<dyn Clock>,
        telemetry: Arc<dyn Telemetry>,
    ) -> Self {
        let cache = Cache::new(limits.kept);
        let shares = Arc::new(Shares::new(store.clone(), limits.commit_keys));
        Self { store, deciding, cache, shares, clock, telemetry }
    }

    /// How acts are read.
    pub fn rules(&self) -> &act::Rules {
        &self.deciding.acts
    }

    /// The lock of a conversation, and what is known of it. It is taken out while it is changed: should the future that
    /// changes it be dropped, it is read again.
    pub(crate) async fn hold(&self, id: &str) -> Result<(Held<Known>, Known), Error> {
        let mut slot = self.cache.lock(id).await;
        let known = match slot.take() {
            Some(known) => known,
            None => self.load(id).await?,
        };
        Ok((slot, known))
    }

    /// Commits, and does what follows from it: runs are woken, and who counts is told. Begun, it is done even when
    /// this future is dropped: a caller who has left must not leave a run asleep that is durable.
    pub(crate) fn commit(
        &self,
        batch: Batch,
        done: Done,
    ) -> Insist<Result<(store::Receipt, Known), store::Error>> {
        let store = self.store.clone();
        let (telemetry, shares) = (Arc::clone(&self.telemetry), Arc::clone(&self.shares));
        insist(async move {
            let receipt = store.commit(batch).await?;
            let Done { talk, plan, active, keys } = done;
            shares.took(&keys.0, keys.1);
            plan.committed();
            if active != 0 {
                telemetry.on_active(active);
            }
            Ok((receipt, talk))
        })
    }
}
