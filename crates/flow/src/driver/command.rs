//! What people tell runs and dead letters: cancel, pause, resume, restart, replay, discard.

use std::time::Duration;

use serde_json::Value;
use store::{Batch, DeadLetter, DeadOp, DeadState, OutboxOp, RunStatus};
use tokio::sync::oneshot;

use super::Engine;
use super::runner::Runner;
use super::runs::{Command, Message, What};
use crate::Error;
use crate::core::{Author, Parent, State};

/// How long until a busy run is told again.
const AWHILE: Duration = Duration::from_millis(100);

impl Engine {
    /// Cancels a run: calls in flight are waited for, everything done is undone.
    ///
    /// # Errors
    /// [`Error::Status`] when it has ended.
    pub async fn cancel(&self, run: &str, by: impl Into<Author>) -> Result<(), Error> {
        self.command(run, Command::new(What::Cancel, by.into())).await
    }

    /// Pauses a run: calls in flight come back, nothing new is begun.
    ///
    /// # Errors
    /// [`Error::Status`] when it has ended or is paused.
    pub async fn pause(&self, run: &str, by: impl Into<Author>) -> Result<(), Error> {
        self.command(run, Command::new(What::Pause, by.into())).await
    }

    /// Lets a paused run go on. A step that exhausted its attempts is tried again under the same key; a step that
    /// waits to ask its system again asks now. With `send_again`, what may have landed and must not be repeated, too.
    ///
    /// # Errors
    /// [`Error::Status`] when it is neither paused nor waits to try again, [`Error::Unsettled`].
    pub async fn resume(&self, run: &str, send_again: bool, by: impl Into<Author>) -> Result<(), Error> {
        self.command(run, Command::new(What::Resume { send_again, step: None }, by.into())).await
    }

    /// Lets a paused run go on, and sends again what one step asked for, which may have landed and must not be repeated.
    /// What else nobody knows of stays so.
    ///
    /// # Errors
    /// As [`Engine::resume`], and [`Error::Status`] when the step is not such a one.
    pub async fn send_again(&self, run: &str, step: &str, by: impl Into<Author>) -> Result<(), Error> {
        let what = What::Resume { send_again: true, step: Some(step.to_owned()) };
        self.command(run, Command::new(what, by.into())).await
    }

    /// Restarts a paused or ended run from a step. What was finished before it is kept; it and what follows is done
    /// again, under the same keys unless it was undone.
    ///
    /// # Errors
    /// [`Error::Status`] when it is neither paused nor ended, or what it has begun is still under way;
    /// [`Error::UnknownStep`], [`Error::Unsettled`].
    pub async fn restart_from(
        &self,
        run: &str,
        step: &str,
        send_again: bool,
        by: impl Into<Author>,
    ) -> Result<(), Error> {
        let what = What::Restart { step: step.to_owned(), send_again };
        self.command(run, Command::new(what, by.into())).await
    }

    /// Writes what a person found out about a step whose outcome nobody knows: its output when it `landed`, or that it
    /// did not. The run goes on as if the call had answered so. Of an undoing (`step/undo`): that it was done by hand.
    ///
    /// # Errors
    /// [`Error::Status`] when the step's outcome is known or its call is out, [`Error::UnknownStep`].
    pub async fn settle(
        &self,
        run: &str,
        step: &str,
        landed: Option<Value>,
        by: impl Into<Author>,
    ) -> Result<(), Error> {
        let what = What::Settle { step: step.to_owned(), landed };
        self.command(run, Command::new(what, by.into())).await
    }

    /// Undoes a run that has succeeded, or has failed and left what it did: everything in reverse, as a later failure would.
    ///
    /// Unless forced it is not undone below a later run with its key that has succeeded.
    ///
    /// # Errors
    /// [`Error::Status`] when it has not ended, or is undone already; [`Error::LaterRun`].
    pub async fn undo(&self, run: &str, force: bool, by: impl Into<Author>) -> Result<(), Error> {
        if let Some(later) = self.later(run).await?.filter(|_| !force) {
            return Err(Error::LaterRun { run: run.to_owned(), later });
        }
        self.command(run, Command::new(What::Undo { force }, by.into())).await
    }

    /// Lets others with a run's key pass it, though it is not over: what it still undoes may meet what they do.
    ///
    /// # Errors
    /// [`Error::Status`] when it holds no key, or nobody need wait for it.
    pub async fn release_key(&self, run: &str, by: impl Into<Author>) -> Result<(), Error> {
        self.command(run, Command::new(What::ReleaseKey, by.into())).await
    }

    /// Tries a dead letter again, with the input it has (see [`Engine::edit_dead`]) and its original key.
    ///
    /// # Errors
    /// [`Error::UnknownDead`] when there is no open letter of this id, [`Error::Status`] when its step waits for nobody,
    /// [`Error::Unsettled`].
    pub async fn replay_dead(&self, id: &str, send_again: bool, by: impl Into<Author>) -> Result<(), Error> {
        let letter = self.open_letter(id).await?;
        let input: Value = serde_json::from_slice(&letter.input).unwrap_or(Value::Null);
        match letter.source.split_once('/') {
            Some((run, step)) if self.waiting_step(run, step).await?.is_some() => {
                let (letter, step) = (id.to_owned(), step.to_owned());
                let input = (!input.is_null()).then_some(input);
                let what = What::Replay { letter, step, input, send_again };
                self.command(run, Command::new(what, by.into())).await
            }
            _ => self.replay_tell(&letter, &input, send_again).await,
        }
    }

    /// Changes the input of an open dead letter.
    ///
    /// # Errors
    /// [`Error::UnknownDead`] when there is no open letter of this id.
    pub async fn edit_dead(&self, id: &str, input: &Value) -> Result<(), Error> {
        let edit = DeadOp::Edit { id: id.to_owned(), input: input.to_string().into_bytes() };
        self.commit_dead(id, Batch { dead: vec![edit], ..Batch::default() }).await
    }

    /// Decides that a dead letter need not be done. Its run stays as it is: cancel or resume that.
    ///
    /// # Errors
    /// [`Error::UnknownDead`] when there is no open letter of this id.
    pub async fn discard_dead(&self, id: &str) -> Result<(), Error> {
        let letter = self.open_letter(id).await?;
        let discard =
            DeadOp::Resolve { id: id.to_owned(), how: DeadState::Discarded, at: self.0.clock.now() };
        // A message goes with its letter, and the next one of its key has its turn.
        let message = OutboxOp::Discard { id: letter.source };
        self.commit_dead(id, Batch { dead: vec![discard], outbox: vec![message], ..Batch::default() })
            .await?;
        self.0.outbox_put.notify_one();
        Ok(())
    }

    pub(super) async fn commit_dead(&self, id: &str, mut batch: Batch) -> Result<(), Error> {
        batch.keys.extend(self.1.iter().cloned());
        match self.0.store.commit(batch).await {
            Ok(_) => Ok(()),
            Err(store::Error::NotOpen { .. }) => Err(Error::UnknownDead(id.to_owned())),
            Err(error) => Err(error.into()),
        }
    }

    async fn open_letter(&self, id: &str) -> Result<DeadLetter, Error> {
        let found = self.0.store.dead_one(id).await?;
        let open = found.filter(|letter| letter.state == DeadState::Open);
        open.ok_or_else(|| Error::UnknownDead(id.to_owned()))
    }

    /// The state of a run whose step is a letter's source; `None` when that is a row of the outbox.
    pub(super) async fn waiting_step(&self, run: &str, step: &str) -> Result<Option<State>, Error> {
        let state = match self.load(run).await {
            Err(Error::UnknownRun(_)) => return Ok(None),
            loaded => loaded?.state,
        };
        let is_step = state.task(step).is_none_or(|task| task.verb != "tell") || step.ends_with("/undo");
        Ok(is_step.then_some(state))
    }

    async fn command(&self, run: &str, command: Command) -> Result<(), Error> {
        if self.is_stopping() {
            return Err(Error::Stopping);
        }
        if self.0.store.run(run).await?.is_none() {
            return Err(Error::UnknownRun(run.to_owned()));
        }
        let (reply, answer) = oneshot::channel();
        let records = self.1.clone();
        self.send(run, Message::Command { command: Box::new(command), records, reply });
        answer.await.map_err(|_| Error::Busy(run.to_owned()))?
    }

    /// Cancels a child whose parent goes another way. A child that has ended already has told its parent.
    pub(super) fn cancel_child(&self, run: String) {
        self.cancel_for(run, "its parent".to_owned());
    }

    /// Cancels a run whose key a newcomer wants, whose flow says `busy: cancel`.
    pub(super) fn cancel_ahead(&self, run: String, newcomer: &str) {
        self.cancel_for(run, format!("run {newcomer} (busy: cancel)"));
    }

    fn cancel_for(&self, run: String, by: String) {
        let engine = self.clone();
        self.keep(async move {
            let cancel = || Command::new(What::Cancel, by.as_str().into());
            while let Err(Error::Busy(_) | Error::Store(store::Error::Busy)) =
                engine.command(&run, cancel()).await
            {
                tokio::time::sleep(AWHILE).await;
            }
        });
    }
}

impl Engine {
    /// Has a child undone whose parent is undone. One that goes on, because somebody has restarted it, is cancelled.
    pub(super) fn undo_child(&self, run: String, parent: &str) {
        let (engine, parent, by) = (self.clone(), parent.to_owned(), format!("its parent {parent}"));
        self.keep(async move {
            let undo = || Command::new(What::Undo { force: true }, by.as_str().into());
            loop {
                match engine.command(&run, undo()).await {
                    Err(Error::Busy(_) | Error::Store(store::Error::Busy)) => {
                        tokio::time::sleep(AWHILE).await
                    }
                    Err(Error::Status { .. }) => {
                        engine.cancel_child(run);
                        // One that was undone before has told it already.
                        return engine.send(&parent, Message::Look);
                    }
                    Ok(()) | Err(_) => return,
                }
            }
        });
    }
}

impl Runner {
    /// What a run did that another began is that one's: undone or done again by itself, the other would go on with what is
    /// not there, or without what is.
    fn check_parent(&self, what: &What) -> Result<(), Error> {
        let wanted = match what {
            What::Undo { force: false } => "undo that one, or force it",
            What::Restart { .. } if self.state.ended.is_some() => "restart that one from the step",
            _ => return Ok(()),
        };
        match &self.state.start.parent {
            Some(Parent { run, path }) if self.state.start.language > 1 => {
                let (run, parent, step) = (self.run.clone(), run.clone(), path.clone());
                Err(Error::Child { run, parent, step, wanted })
            }
            _ => Ok(()),
        }
    }

    /// Whether the command fits where the run stands.
    pub(super) fn check(&self, command: &Command) -> Result<(), Error> {
        self.check_parent(&command.what)?;
        let status = self.state.status();
        let over = self.state.ended.is_some();
        let refuse = |wanted| Err(Error::Status { run: self.run.clone(), status: status.as_str(), wanted });
        match &command.what {
            What::Cancel if over => refuse("only a run that has not ended can be cancelled"),
            What::Cancel if self.state.cancelling.is_some() => refuse("it is being cancelled already"),
            What::Pause if over || status == RunStatus::Paused => {
                refuse("only a run that is going can be paused")
            }
            What::Resume { step: Some(step), .. }
                if !self.state.unsettled().iter().any(|it| **it == **step) =>
            {
                refuse("nobody doubts what became of that step: there is nothing to send again")
            }
            What::Resume { .. } if self.state.paused.is_none() && self.state.asleep().next().is_none() => {
                refuse("only a run that is paused or waits to try again can be resumed")
            }
            What::Restart { .. } if !over && self.state.paused.is_none() => refuse("pause it first"),
            What::Restart { .. } if !self.flights.is_empty() => {
                refuse("a call is out: wait until it has come home")
            }
            What::Restart { .. } if self.state.has_losers() => {
                refuse("the loser of a race is being undone: wait until that is over")
            }
            What::Restart { .. } if self.state.has_child() => {
                refuse("a run that it began goes on: cancel that one, or wait until it has ended")
            }
            What::Restart { .. } if !self.state.taken => refuse("it waits for its turn"),
            What::Restart { .. } if self.state.undoes_child() => {
                refuse("a run that it began is being undone: wait until that is over")
            }
            What::Cancel if self.state.is_undone() => refuse("it is being undone already"),
            What::Undo { .. } => match self.state.cannot_be_undone() {
                Some(why) => refuse(why),
                None => Ok(()),
            },
            What::ReleaseKey if self.state.place().is_none() || status.is_ended() => {
                refuse("nobody waits for its key")
            }
            What::ReleaseKey if !matches!(status, RunStatus::Parked | RunStatus::Compensating) => {
                refuse("only the key of a run that is undoing can be released: cancel it first")
            }
            What::ReleaseKey => Ok(()),
            What::Restart { step, .. } | What::Replay { step, .. } | What::Settle { step, .. }
                if self.state.record(step).is_none() =>
            {
                Err(Error::UnknownStep { run: self.run.clone(), step: step.clone() })
            }
            What::Replay { step, .. } if !self.state.is_stuck(step) => refuse(
                "the step does not wait to be replayed: discard the letter, or look whether its call is out",
            ),
            What::Settle { step, .. } if !self.state.may_settle(step) => {
                refuse("it is known what became of the step, or its call is out: there is nothing to settle")
            }
            _ if !command.sends_again() && !store::mutant("resume-sends-again") => {
                self.unsettled(&command.what)
            }
            What::Cancel | What::Pause | What::Resume { .. } => Ok(()),
            What::Restart { .. } | What::Replay { .. } | What::Settle { .. } => Ok(()),
        }
    }

    /// What may have landed and must not be repeated is not sent again just because the run is to go on.
    fn unsettled(&self, what: &What) -> Result<(), Error> {
        let unsettled = match what {
            What::Restart { .. } => self.state.doubts(),
            What::Replay { step, .. } => self.state.unsettled_at(step),
            _ => self.state.unsettled(),
        };
        let meant = match what {
            What::Replay { step, .. } => unsettled.into_iter().find(|unknown| **unknown == **step),
            // What else is paused goes on.
            What::Resume { .. } if unsettled.len() < self.state.stuck_steps().len() => None,
            _ => unsettled.into_iter().next(),
        };
        match meant {
            Some(step) => Err(Error::Unsettled { run: self.run.clone(), step: step.to_string() }),
            None => Ok(()),
        }
    }
}
