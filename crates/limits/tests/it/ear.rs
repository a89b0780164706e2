//! A listener that remembers what it heard of servers and fallbacks, one word per event.

use std::sync::Mutex;

use guard::{Event, Listener};

#[derive(Default)]
pub(crate) struct Ear(Mutex<Vec<String>>);

impl Ear {
    pub(crate) fn heard(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    pub(crate) fn count(&self, word: &str) -> usize {
        self.heard().iter().filter(|heard| *heard == word).count()
    }
}

impl Listener for Ear {
    fn hear(&self, event: &Event<'_>) {
        let word = match event {
            Event::LimitStore { store, away: Some(_) } => format!("{store} is away"),
            Event::LimitStore { store, away: None } => format!("{store} is back"),
            Event::LimitFallback { fallback, .. } => fallback.as_str().into(),
            Event::Rejected { by, .. } => by.as_str().into(),
            _ => return,
        };
        self.0.lock().unwrap().push(word);
    }
}
