//! Answers remembered under idempotency keys.

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::answer::Answer;

/// How many keys are remembered; the oldest is forgotten first.
const MOST: usize = 100_000;

/// What a key was first used for.
struct Remembered {
    request: u64,
    answer: Answer,
}

/// Answers by key. Only what had an effect is remembered: a refusal may be tried again under the same key.
#[derive(Default)]
pub(crate) struct Keys {
    known: HashMap<String, Remembered>,
    order: VecDeque<String>,
}

/// What is known of a key.
pub(crate) enum Found {
    /// Nothing.
    New,
    /// This very request, and how it was answered.
    Same(Answer),
    /// Another request.
    Other,
}

impl Keys {
    /// Looks a key up for a request.
    pub(crate) fn find(&self, key: &str, request: u64) -> Found {
        match self.known.get(key) {
            None => Found::New,
            Some(known) if known.request == request => Found::Same(known.answer.clone()),
            Some(_) => Found::Other,
        }
    }

    /// Remembers an answer.
    pub(crate) fn remember(&mut self, key: &str, request: u64, answer: &Answer) {
        if self.order.len() == MOST {
            self.order.pop_front().map(|oldest| self.known.remove(&oldest));
        }
        self.order.push_back(key.to_owned());
        self.known.insert(key.to_owned(), Remembered { request, answer: answer.clone() });
    }
}

/// What makes two requests the same one.
pub(crate) fn fingerprint(operation: &str, id: &str, body: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    (operation, id, body).hash(&mut hasher);
    hasher.finish()
}
