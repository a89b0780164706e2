//! Messages of the outbox that somebody has in hand, so that nobody else takes them.

use std::collections::HashSet;
use std::sync::Arc;

use parking_lot::Mutex;

/// The rows that are in hand.
#[derive(Clone, Default)]
pub(super) struct Claims(Arc<Mutex<HashSet<String>>>);

/// A row in hand; given back when it is dropped, also by a panic.
pub(super) struct Claim {
    row: String,
    claims: Claims,
}

impl Claim {
    /// Nobody else gets it.
    pub(super) fn keep(self) {
        std::mem::forget(self);
    }
}

impl Claims {
    /// Takes a row, unless somebody has it.
    pub(super) fn take(&self, row: &str) -> Option<Claim> {
        let free = self.0.lock().insert(row.to_owned());
        free.then(|| Claim { row: row.to_owned(), claims: self.clone() })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.lock().is_empty()
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.claims.0.lock().remove(&self.row);
    }
}
