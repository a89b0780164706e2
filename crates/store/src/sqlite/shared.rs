//! What the writer tells everybody else.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::sync::watch;

use crate::{Error, Health};

/// What the writer tells everybody else.
#[derive(Debug)]
pub(super) struct Shared {
    /// The last position that is durable and visible.
    pub(super) head: watch::Sender<u64>,
    /// Batches in the queue.
    pub(super) queued: AtomicUsize,
    /// Bytes in the queue.
    pub(super) queued_bytes: AtomicUsize,
    full: AtomicBool,
    fenced: OnceLock<String>,
}

impl Shared {
    pub(super) fn new(head: u64) -> Self {
        Self {
            head: watch::Sender::new(head),
            queued: AtomicUsize::new(0),
            queued_bytes: AtomicUsize::new(0),
            full: AtomicBool::new(false),
            fenced: OnceLock::new(),
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.full.load(Ordering::Relaxed)
    }

    pub(super) fn set_full(&self, full: bool) {
        if self.full.swap(full, Ordering::Relaxed) != full {
            match full {
                true => tracing::error!("store is full"),
                false => tracing::info!("store has space again"),
            }
        }
    }

    /// From here on nothing is written until the store is opened again. The first cause stands.
    pub(super) fn fence(&self, cause: &str) {
        if self.fenced.set(cause.to_owned()).is_ok() {
            tracing::error!(cause, "store is fenced");
        }
    }

    pub(super) fn fenced(&self) -> Option<Error> {
        self.fenced.get().map(|cause| Error::Fenced { cause: cause.clone() })
    }

    pub(super) fn health(&self) -> Health {
        Health {
            head: *self.head.borrow(),
            queued: self.queued.load(Ordering::Relaxed),
            full: self.is_full(),
            fenced: self.fenced.get().cloned(),
        }
    }
}
