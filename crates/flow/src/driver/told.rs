//! What the relay has written about a run's messages, taken into its journal.

use std::sync::Arc;

use relay::Settled;
use store::{Answer, AnswerOp, Batch};

use super::Engine;
use super::load::Loaded;
use super::runner::{Runner, Stop};
use super::runs::Message;
use crate::core::{Event, Failure};
use crate::{Delivery, Error, RunView};

/// So many messages of a run are looked for.
const LOOK: usize = 100;

impl Engine {
    /// A relay over the same store, which delivers what runs tell. To be started by whoever wires them.
    pub fn relay(&self, limits: relay::Limits) -> relay::Deps {
        relay::Deps {
            store: self.0.store.clone(),
            systems: self.0.systems.clone(),
            clock: self.0.clock.clone(),
            entropy: self.0.entropy.clone(),
            limits,
            listener: Arc::new(self.clone()),
            looks_up: Arc::new(self.clone()),
            bell: self.0.outbox_put.clone(),
        }
    }

    /// Reads the answers that a run has not taken, as events.
    async fn answers(&self, run: &str) -> Result<Vec<(Answer, Event)>, Error> {
        let (mut found, mut after) = (Vec::new(), String::new());
        loop {
            let page = self.0.store.answers(run, &after).await?;
            let Some(last) = page.last() else { return Ok(found) };
            after.clone_from(&last.step);
            found.extend(page.into_iter().filter_map(|answer| event(&answer).map(|event| (answer, event))));
        }
    }

    /// A run that has ended shows, and can undo with, what its messages were answered since.
    pub(super) async fn overheard(&self, mut loaded: Loaded) -> Result<Loaded, Error> {
        if loaded.state.ended.is_some() {
            for (answer, event) in self.answers(&loaded.row.id).await? {
                loaded.state.apply(&loaded.definition, &event, answer.at);
            }
        }
        Ok(loaded)
    }

    /// Lets a run that is not over take what became of its message. One that has ended is left alone: its answers stay
    /// where they are until somebody looks.
    async fn told(&self, run: &str) {
        if self.0.runs.lock().contains_key(run) {
            return self.send(run, Message::Look);
        }
        match self.0.store.run(run).await {
            Ok(Some(row)) if !row.status.is_ended() => self.send(run, Message::Look),
            Ok(_) => {}
            Err(error) => tracing::warn!(run, %error, "looking whether a run waits for a delivery"),
        }
    }
}

impl Engine {
    /// A message that is in the outbox no more, and of which no answer was kept, was delivered before answers were.
    pub(super) async fn look_for_messages(&self, view: &mut RunView) -> Result<(), Error> {
        let run = view.id.clone();
        let pending = view.steps.iter_mut().filter(|step| step.delivery == Some(Delivery::Pending));
        for step in pending.take(LOOK) {
            let gone = self.0.store.outbox_one(&format!("{run}/{}", step.path)).await?.is_none();
            if gone && self.0.store.answer(&run, &step.path).await?.is_none() {
                step.delivery = Some(Delivery::Delivered);
            }
        }
        Ok(())
    }
}

impl relay::Listener for Engine {
    fn settled(&self, run: &str) {
        let (engine, run) = (self.clone(), run.to_owned());
        self.keep(async move { engine.told(&run).await });
    }

    fn undeliverable(&self, letter: &store::DeadLetter) {
        self.0.listener.undeliverable(letter);
    }
}

impl Runner {
    /// Takes what became of this run's messages into its journal.
    pub(super) async fn take_told(&mut self) -> Result<(), Stop> {
        if self.state.ended.is_some() {
            return Ok(());
        }
        self.take_answers().await
    }

    /// Takes them whether the run has ended or not: somebody is to decide about it.
    pub(super) async fn take_answers(&mut self) -> Result<(), Stop> {
        if !self.state.tells() {
            return Ok(());
        }
        for (answer, event) in self.engine.answers(&self.run).await.map_err(Stop::Fenced)? {
            let rows = Batch { answers: vec![taken(&answer)], ..Batch::default() };
            self.turn_with(vec![event], Vec::new(), rows).await?;
        }
        Ok(())
    }
}

/// What an answer is as an event of its run.
pub(super) fn event(answer: &Answer) -> Option<Event> {
    Some(match Settled::read(answer)? {
        Settled::Delivered { step, output, attempts, member } => Event::TellDelivered {
            path: step.as_str().into(),
            output: output.into(),
            attempts,
            member: member.map(Into::into),
        },
        Settled::Dead { step, code, message, landed, attempts, member } => {
            let path: Arc<str> = step.as_str().into();
            let member = member.map(Into::into);
            let error = Failure { landed, attempts, member, ..Failure::new(&path, code, message) };
            Event::TellDied { path, error }
        }
    })
}

pub(super) fn taken(answer: &Answer) -> AnswerOp {
    AnswerOp::Take { run: answer.run.clone(), step: answer.step.clone(), at: answer.at }
}
