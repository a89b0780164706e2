//! Who works on what: one piece of work is worked on by one at a time.
//!
//! On SQLite one process holds the store, so that its claims are kept in memory and cost nothing; they end with it.
//! A claim is given back when it is dropped, also by a panic, and is void when its lease is over.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::Lease;
use crate::lease::Fence;

/// What can be worked on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Work {
    /// A request with an idempotency key, by the owner of its record.
    Key,
    /// A run in memory, by its id.
    Run,
    /// A due timer that its run was told of, by its id.
    Timer,
    /// A delivery of an outbox row, by its id.
    Outbox,
}

/// The claims of one process.
#[derive(Debug, Default)]
pub(crate) struct Claims(Mutex<HashMap<(Work, String), Lease>>);

impl Claims {
    /// Claims a piece of work, unless somebody works on it under a lease that is in force.
    pub(crate) fn claim(
        self: &Arc<Self>,
        (work, id): (Work, &str),
        lease: &Lease,
        fence: &Fence,
    ) -> Option<Claim> {
        let mut claims = self.0.lock();
        let key = (work, id.to_owned());
        if fence.is_over(lease) || claims.get(&key).is_some_and(|held| !fence.is_over(held)) {
            return None;
        }
        claims.insert(key.clone(), lease.clone());
        Some(Claim { claims: self.clone(), key, lease: lease.clone(), kept: false })
    }

    /// Whether somebody works on it under a lease that is in force.
    pub(crate) fn is_claimed(&self, work: Work, id: &str, fence: &Fence) -> bool {
        self.0.lock().get(&(work, id.to_owned())).is_some_and(|held| !fence.is_over(held))
    }
}

/// A piece of work that is nobody else's until this is dropped.
#[derive(Debug)]
#[must_use]
pub struct Claim {
    claims: Arc<Claims>,
    key: (Work, String),
    lease: Lease,
    kept: bool,
}

impl Claim {
    /// Never gives it back while this epoch lasts: nobody knows what became of the work.
    pub fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut claims = self.claims.0.lock();
        if !self.kept && claims.get(&self.key) == Some(&self.lease) {
            claims.remove(&self.key);
        }
    }
}
