//! Runs that wait for an event on a topic are told when the log has grown there; [`super::listen`] takes it.

use std::collections::{HashMap, HashSet};

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::Engine;
use super::runs::Message;

const PAGE: usize = 1000;

/// Who listens to which topic.
#[derive(Default)]
pub(super) struct Topics {
    listeners: Mutex<HashMap<String, HashSet<String>>>,
    joined: Notify,
}

impl Topics {
    pub(super) fn follow_for(&self, run: &str, topic: &str) {
        self.listeners.lock().entry(format!("topic-{topic}")).or_default().insert(run.to_owned());
        self.joined.notify_one();
    }

    pub(super) fn forget(&self, run: &str) {
        self.listeners.lock().retain(|_, runs| {
            runs.remove(run);
            !runs.is_empty()
        });
    }

    fn is_empty(&self) -> bool {
        self.listeners.lock().is_empty()
    }

    fn everybody(&self) -> HashSet<String> {
        self.listeners.lock().values().flatten().cloned().collect()
    }

    fn of(&self, stream: &str) -> Vec<String> {
        self.listeners.lock().get(stream).map(|runs| runs.iter().cloned().collect()).unwrap_or_default()
    }
}

/// Follows the log while somebody listens.
pub(super) async fn follow(engine: Engine) {
    let mut head = engine.0.store.head();
    let mut seen = *head.borrow();
    loop {
        if engine.0.topics.is_empty() {
            engine.0.topics.joined.notified().await;
            seen = *head.borrow();
            // Who has just joined may have looked at its topic before that.
            for run in engine.0.topics.everybody() {
                engine.send(&run, Message::Look);
            }
        }
        if head.changed().await.is_err() {
            return;
        }
        match engine.tell_topics(seen).await {
            Ok(position) => seen = position,
            Err(error) => tracing::warn!(%error, "following topics"),
        }
    }
}

impl Engine {
    async fn tell_topics(&self, mut seen: u64) -> Result<u64, store::Error> {
        loop {
            let page = self.0.store.log(seen, PAGE).await?;
            let Some(last) = page.last() else { return Ok(seen) };
            seen = last.position;
            let streams: HashSet<&str> =
                page.iter().map(|event| &*event.stream).filter(|name| name.starts_with("topic-")).collect();
            for run in streams.into_iter().flat_map(|stream| self.0.topics.of(stream)) {
                self.send(&run, Message::Look);
            }
        }
    }
}
