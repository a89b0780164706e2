//! What a run hears: answers to its steps, signals under a name, events of topics. Each is taken once.

use std::sync::Arc;

use serde_json::Value;

use super::event::Event;
use super::frame::{Activation, At};
use super::machine::Machine;
use super::question::{answer, closed, closed_step};
use super::state::State;
use crate::definition::{Answer, Body, Hears};

/// Before the name of a signal that was sent from outside: such a one is heard by `listen` alone, and answers no question.
pub(crate) const SENT: &str = "signal:";

/// A leaf that listens to a topic.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Listening {
    pub(crate) path: Arc<str>,
    pub(crate) topic: Arc<str>,
    /// Events up to this version of the topic do not count, or were looked at.
    pub(crate) after: u64,
}

impl State {
    /// The names under which something is waited for.
    pub(crate) fn awaited(&self) -> Vec<String> {
        let waiting = self.leaves().filter(|(_, leaf)| waits(&leaf.at) && leaf.on.is_some());
        let names = |active: &Activation| match listens(active).map(|hears| &hears.from) {
            Some(Answer::Signal(name)) => vec![format!("{SENT}{name}"), name.to_string()],
            Some(Answer::Topic(_)) => Vec::new(),
            None => vec![active.path.to_string(), closed_step(&active.path)],
        };
        let names = |(active, leaf): (&Activation, &super::frame::Leaf)| match &leaf.question {
            Some(question) => vec![answer(question), closed(question)],
            None => names(active),
        };
        waiting.flat_map(names).chain(self.parked_children()).chain(self.unknowns_awaited()).collect()
    }

    /// The leaf that takes what came under a name: the first in order of entering whose `where` holds.
    pub(crate) fn hears(&self, name: &str, payload: &Value) -> Option<Arc<str>> {
        // Who has asked a question hears its answer only.
        let waiting =
            self.leaves().filter(|(_, leaf)| waits(&leaf.at) && leaf.on.is_some() && leaf.question.is_none());
        let mut named = waiting.map(|(active, _)| active).filter(|active| is_for(active, name));
        let heard = named.find(|active| self.passes(active, payload)).map(|active| active.path.clone());
        heard.or_else(|| self.parked_children().find(|undo| undo == name).map(Into::into))
    }

    /// Whether an event passes the `where` of the leaf that listens, which still does.
    pub(crate) fn accepts(&self, path: &str, payload: &Value) -> bool {
        let Some(active) = self.leaves.get(path).and_then(|id| self.active.get(id)) else { return false };
        active.leaf().is_some_and(|leaf| waits(&leaf.at)) && self.passes(active, payload)
    }

    fn passes(&self, active: &Activation, payload: &Value) -> bool {
        let Some(filter) = listens(active).and_then(|hears| hears.filter.as_ref()) else { return true };
        let vars = active.vars.bind(&"event".into(), payload.clone());
        filter.test(&self.scope(&vars)).unwrap_or(false)
    }

    /// The leaves that listen to topics.
    pub(crate) fn topics(&self) -> Vec<Listening> {
        let listening = self.leaves().filter(|(_, leaf)| waits(&leaf.at) && leaf.on.is_some());
        let topic = |active: &Activation| match &listens(active)?.from {
            Answer::Topic(topic) => Some(topic.clone()),
            Answer::Signal(_) => None,
        };
        listening
            .filter_map(|(active, leaf)| {
                Some(Listening { path: active.path.clone(), topic: topic(active)?, after: leaf.after })
            })
            .collect()
    }

    /// Whether an event of a topic was taken by a step of this run.
    pub(crate) fn has_heard(&self, topic: &str, version: u64) -> bool {
        self.heard.get(topic).is_some_and(|taken| taken.contains(&version))
    }
}

impl Machine<'_> {
    /// Remembers an event that a step has taken, so that no other takes it.
    pub(super) fn heard(&mut self, path: &str, id: &str) {
        let Some(active) = self.state.leaves.get(path).and_then(|id| self.state.active.get(id)) else {
            return;
        };
        let Some(Answer::Topic(topic)) = listens(active).map(|hears| &hears.from) else { return };
        if let Some(version) = id.rsplit_once('@').and_then(|(_, version)| version.parse().ok()) {
            self.state.heard.entry(topic.clone()).or_default().insert(version);
        }
    }

    /// How far a topic was looked at.
    pub(super) fn read(&mut self, event: &Event) {
        if let Event::TopicRead { path, upto } = event {
            self.with_leaf(path, |leaf| leaf.after = leaf.after.max(*upto));
        }
    }
}

fn waits(at: &At) -> bool {
    matches!(at, At::Waiting)
}

fn listens(active: &Activation) -> Option<&Hears> {
    match active.task.as_deref().map(|task| &task.body) {
        Some(Body::Listen(hears)) => Some(hears),
        _ => None,
    }
}

fn is_for(active: &Activation, name: &str) -> bool {
    let own = |heard: &Arc<str>, name: &str| **heard == *name;
    match (listens(active).map(|hears| &hears.from), name.strip_prefix(SENT)) {
        (Some(Answer::Signal(signal)), sent) => own(signal, sent.unwrap_or(name)),
        (Some(Answer::Topic(_)), _) | (None, Some(_)) => false,
        (None, None) => own(&active.path, name),
    }
}
