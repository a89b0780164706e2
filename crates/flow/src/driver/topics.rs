//! `listen`: runs that wait for an event on a topic are told when the log has grown there.

use std::collections::{HashMap, HashSet};

use parking_lot::Mutex;
use serde_json::Value;
use store::{Batch, SignalOp};
use tokio::sync::Notify;

use super::Engine;
use super::runner::{Runner, Stop};
use super::runs::Message;
use crate::core::Event;

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

impl Runner {
    /// Takes the answers that wait in the store for this run.
    pub(super) async fn take_signals(&mut self) -> Result<(), Stop> {
        for signal in self.engine.0.store.signals(&self.run).await? {
            let Some(path) = self.state.hears(&signal.name) else { continue };
            let payload = serde_json::from_slice(&signal.payload).unwrap_or(Value::Null);
            if !self.state.accepts(&path, &payload) {
                continue;
            }
            let take = SignalOp::Take { run: self.run.clone(), id: signal.id.clone() };
            let rows = Batch { signals: vec![take], ..Batch::default() };
            let event = Event::SignalTaken { path, id: signal.id, payload };
            self.turn_with(vec![event], Vec::new(), rows).await?;
        }
        Ok(())
    }

    /// Looks for events on the topics this run listens to.
    pub(super) async fn take_topics(&mut self) -> Result<(), Stop> {
        for (path, topic, after) in self.state.topics() {
            self.engine.0.topics.follow_for(&self.run, &topic);
            self.take_topic(path, &topic, after).await?;
        }
        Ok(())
    }

    async fn take_topic(
        &mut self,
        path: std::sync::Arc<str>,
        topic: &str,
        mut after: u64,
    ) -> Result<(), Stop> {
        loop {
            let page = self.engine.0.store.stream(&format!("topic-{topic}"), after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.version;
            for found in &page {
                let payload: Value = serde_json::from_slice(&found.data).unwrap_or(Value::Null);
                let mine = *found.tenant == *self.state.start.tenant;
                if mine && self.state.accepts(&path, &payload) {
                    let id = format!("{topic}@{}", found.version);
                    return self.turn(vec![Event::SignalTaken { path, id, payload }], Vec::new()).await;
                }
            }
        }
    }
}
