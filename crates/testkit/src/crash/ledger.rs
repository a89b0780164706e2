//! What was acknowledged, as the clients saw it.

use std::sync::{Arc, Mutex, PoisonError};

/// One acknowledged act.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Acked {
    /// The conversation.
    pub conversation: String,
    /// The act.
    pub act: String,
}

/// Written after each acknowledgement, never before. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Ledger(Arc<Mutex<Vec<Acked>>>);

impl Ledger {
    /// Writes an acknowledgement down.
    pub fn write(&self, conversation: &str, act: &str) {
        let line = Acked { conversation: conversation.to_owned(), act: act.to_owned() };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }

    /// Everything acknowledged so far.
    pub fn read(&self) -> Vec<Acked> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
