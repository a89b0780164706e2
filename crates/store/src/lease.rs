//! Who writes: an owner, and which of its lives.
//!
//! Whoever takes a store over begins a new epoch. Every batch carries the lease of the handle that commits it, and is
//! refused when a later epoch has begun: a process that was replaced and does not know so yet does no harm. What is
//! written down with a lease (an idempotency key in progress, say) is given up when that epoch is over, and not before.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::Error;
use crate::mutants::Mutant;

/// Who holds a store, in which of its lives.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Lease {
    /// Whose it is.
    pub owner: Arc<str>,
    /// Counts the owner's lives from 1; 0 is the time before they were counted.
    pub epoch: u64,
}

impl fmt::Display for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "epoch {} of {}", self.epoch, self.owner)
    }
}

/// Which lease is in force: known to every handle, changed only by the one that writes.
#[derive(Debug)]
pub(crate) struct Fence {
    owner: Arc<str>,
    epoch: AtomicU64,
}

impl Fence {
    pub(crate) fn new(owner: &str, epoch: u64) -> Self {
        Self { owner: owner.into(), epoch: AtomicU64::new(epoch) }
    }

    /// The lease in force.
    pub(crate) fn lease(&self) -> Lease {
        Lease { owner: self.owner.clone(), epoch: self.epoch.load(Ordering::SeqCst) }
    }

    /// Begins the next epoch: the earlier ones are over.
    pub(crate) fn take(&self) -> Lease {
        let epoch = self.epoch.fetch_add(1, Ordering::SeqCst) + 1;
        Lease { owner: self.owner.clone(), epoch }
    }

    /// Whether a later epoch of this owner has begun. Of an owner that is not known here nothing is proven.
    pub(crate) fn is_over(&self, lease: &Lease) -> bool {
        lease.owner == self.owner && lease.epoch < self.epoch.load(Ordering::SeqCst)
    }

    /// Refuses what comes with a lease that is not in force.
    pub(crate) fn check(&self, lease: &Lease) -> Result<(), Error> {
        let current = self.lease();
        match *lease == current || Mutant::NoFence.is_on() {
            true => Ok(()),
            false => Err(Error::LeaseOver { lease: lease.clone(), current }),
        }
    }
}
