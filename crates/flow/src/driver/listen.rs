//! `listen`: what came since the run began is heard, in order, each once.
//!
//! Signals wait in rows of their run. Events stay in the stream of their topic: a step remembers up to where it has looked,
//! in memory, and in the journal after each [`FAR`] events that were for others. Nothing of a topic is forgotten today; what
//! will forget must stop at the start of the oldest live run.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use store::{Batch, Signal, SignalOp};

use super::begin::stream;
use super::runner::{Runner, Stop};
use super::runs::Message;
use super::turn::Turn;
use crate::core::{Event, Listening};
use crate::definition::Answer;

const PAGE: usize = 1000;
/// After so many events that were for others it is written down how far was looked.
const FAR: u64 = 1000;

impl Runner {
    pub(super) async fn listen(
        &mut self,
        turn: &mut Turn,
        path: Arc<str>,
        answer: Answer,
        timeout: Option<Duration>,
    ) -> Result<(), Stop> {
        self.looked.remove(&path);
        let (on, after) = match &answer {
            Answer::Signal(name) => (json!({ "signal": &**name }), 0),
            Answer::Topic(topic) => {
                self.engine.0.topics.follow_for(&self.run, topic);
                (json!({ "topic": &**topic }), self.since_start(topic).await?)
            }
        };
        self.note(turn, Event::StepWaiting { path: path.clone(), on, after });
        self.time_out(turn, path, timeout);
        // An answer may be there already.
        self.engine.send(&self.run, Message::Look);
        Ok(())
    }

    /// The version of a topic when the run began. What a run of 0.1.0 hears begins where it listens.
    async fn since_start(&mut self, topic: &str) -> Result<u64, Stop> {
        let (store, topic) = (&self.engine.0.store, format!("topic-{topic}"));
        if self.state.start.language == 0 || store::mutant("listen-from-now") {
            return Ok(store.version(&topic).await?);
        }
        let began = match self.began {
            Some(began) => began,
            // A run that listens with its first entries is not in the log yet: everything there is older.
            None => match store.stream(&stream(&self.run), 0, 1).await?.first() {
                Some(first) => first.position,
                None => return Ok(store.version(&topic).await?),
            },
        };
        self.began = Some(began);
        Ok(store.version_at(&topic, began).await?)
    }

    /// Takes the answers that wait in the store for this run. Who listens after one was taken hears from the first on.
    pub(super) async fn take_signals(&mut self) -> Result<(), Stop> {
        let mut after = 0;
        loop {
            let names = self.state.awaited();
            if names.is_empty() {
                return Ok(());
            }
            let page = self.engine.0.store.signals_named(&self.run, names, after).await?;
            let Some((last, _)) = page.last() else { return Ok(()) };
            after = *last;
            for (_, signal) in page {
                if self.take_signal(signal).await? {
                    after = 0;
                    break;
                }
            }
        }
    }

    async fn take_signal(&mut self, signal: Signal) -> Result<bool, Stop> {
        if let Some(event) = Self::about_unknown(&signal).or_else(|| self.about_question(&signal)) {
            return self.take_as(&signal, event).await;
        }
        let payload = serde_json::from_slice(&signal.payload).unwrap_or(Value::Null);
        let Some(path) = self.state.hears(&signal.name, &payload) else { return Ok(false) };
        let take = SignalOp::Take { run: self.run.clone(), id: signal.id.clone() };
        let rows = Batch { signals: vec![take], ..Batch::default() };
        let taken = Event::SignalTaken { path, id: signal.id, payload };
        self.turn_with(vec![taken], Vec::new(), rows).await?;
        Ok(true)
    }

    /// Looks for events on the topics this run listens to.
    pub(super) async fn take_topics(&mut self) -> Result<(), Stop> {
        for listening in self.state.topics() {
            self.engine.0.topics.follow_for(&self.run, &listening.topic);
            self.take_topic(listening).await?;
        }
        Ok(())
    }

    async fn take_topic(&mut self, Listening { path, topic, after: noted }: Listening) -> Result<(), Stop> {
        let mut noted = noted;
        let mut after = self.looked.get(&path).map_or(noted, |looked| noted.max(*looked));
        loop {
            let page = self.engine.0.store.stream(&format!("topic-{topic}"), after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.version;
            for found in &page {
                if let Some(payload) = self.is_for(&path, &topic, found) {
                    let id = format!("{topic}@{}", found.version);
                    return self.turn(vec![Event::SignalTaken { path, id, payload }], Vec::new()).await;
                }
            }
            self.looked.insert(path.clone(), after);
            if after >= noted + FAR {
                noted = after;
                self.turn(vec![Event::TopicRead { path: path.clone(), upto: after }], Vec::new()).await?;
            }
        }
    }

    /// What an event holds, when it is for a step: of its organisation, after its run's own beginning, taken by nobody.
    fn is_for(&self, path: &str, topic: &str, found: &store::Event) -> Option<Value> {
        let start = &self.state.start;
        let begins = found.causation.is_some() && found.causation.as_deref() == start.commit.as_deref();
        let heard = self.state.has_heard(topic, found.version) && !store::mutant("listen-twice");
        let mine = *found.tenant == *start.tenant && !begins && !heard;
        let payload: Value = mine.then(|| serde_json::from_slice(&found.data).unwrap_or(Value::Null))?;
        self.state.accepts(path, &payload).then_some(payload)
    }
}
