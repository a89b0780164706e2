//! Undoing a `tell`: a message that was not sent is withdrawn; of one that is being delivered it is found out first what
//! became of it; one that arrived is undone with its answer, one that certainly did not is not.

use std::sync::Arc;

use jiff::SignedDuration;
use port::Landed;
use serde_json::Value;
use store::{DeadOp, DeadState, OutboxOp, OutboxRow, OutboxStage};

use super::letter::letter_id;
use super::runner::{Runner, Stop};
use super::told;
use super::turn::Turn;
use crate::core::{Event, Told};

/// How long until it is looked again what became of a message, when nobody says so before.
const AWHILE: SignedDuration = SignedDuration::from_secs(5);

impl Runner {
    /// Finds out what became of the message of a step that is to be undone.
    pub(super) async fn take_back(
        &mut self,
        turn: &mut Turn,
        path: Arc<str>,
        step: Arc<str>,
    ) -> Result<(), Stop> {
        let message = format!("{}/{step}", self.run);
        let written = turn.batch.outbox.len();
        turn.batch.outbox.retain(|op| !matches!(op, OutboxOp::Put(row) if row.id == message));
        if turn.batch.outbox.len() < written {
            self.nothing_to_undo(turn, path);
            return Ok(());
        }
        // A row and its answer change in one commit: without a row, what became of it is there to be read.
        match self.engine.0.store.outbox_one(&message).await? {
            Some(OutboxRow { perhaps: false, .. }) => self.withdraw(turn, path, message),
            Some(row) if matches!(row.stage, OutboxStage::Ready | OutboxStage::Behind) => {
                self.await_delivery(turn, path, message);
            }
            Some(row) => self.give_up_delivery(turn, path, &step, &row),
            None => self.without_row(turn, path, step).await?,
        }
        Ok(())
    }

    /// It was not sent, and is not to be.
    fn withdraw(&mut self, turn: &mut Turn, path: Arc<str>, message: String) {
        let at = self.engine.0.clock.now();
        let (how, id) = (DeadState::Discarded, letter_id(&message));
        turn.batch.dead.push(DeadOp::Settle { id, how, at });
        turn.batch.outbox.push(OutboxOp::Withdraw { id: message });
        turn.told = true;
        self.nothing_to_undo(turn, path);
    }

    /// It may have arrived: it is delivered now, and then it is known what is to be undone.
    fn await_delivery(&mut self, turn: &mut Turn, path: Arc<str>, message: String) {
        let now = self.engine.0.clock.now();
        turn.batch.outbox.push(OutboxOp::Hurry { id: message, now });
        turn.told = true;
        let until = now.checked_add(AWHILE).unwrap_or(now);
        self.note(turn, Event::DeliveryAwaited { path, until });
    }

    /// It is a dead letter and may have arrived. Once it cannot arrive any more, it is undone without its answer, and nobody
    /// is to send it after that.
    fn give_up_delivery(&mut self, turn: &mut Turn, path: Arc<str>, step: &Arc<str>, row: &OutboxRow) {
        let now = self.engine.0.clock.now();
        if let Some(until) = row.settles.filter(|settles| *settles > now) {
            return self.note(turn, Event::DeliveryAwaited { path, until });
        }
        let (how, id) = (DeadState::Discarded, letter_id(&row.id));
        turn.batch.dead.push(DeadOp::Settle { id, how, at: now });
        turn.batch.outbox.push(OutboxOp::Done { id: row.id.clone() });
        turn.told = true;
        self.note(turn, Event::TellLost { path: step.clone() });
    }

    async fn without_row(&mut self, turn: &mut Turn, path: Arc<str>, step: Arc<str>) -> Result<(), Stop> {
        match self.state.told(&step) {
            Some(Told::Dead(Landed::No)) => {
                self.nothing_to_undo(turn, path);
                return Ok(());
            }
            Some(Told::Dead(_)) => {
                self.note(turn, Event::TellLost { path: step });
                return Ok(());
            }
            Some(Told::Delivered | Told::Lost) | None => {}
        }
        let answer = self.engine.0.store.answer(&self.run, &step).await?;
        turn.batch.answers.extend(answer.as_ref().map(told::taken));
        // Without one it was delivered before answers were kept.
        let unknown =
            Event::TellDelivered { path: step, output: Value::Null.into(), attempts: 0, member: None };
        self.note(turn, answer.as_ref().and_then(told::event).unwrap_or(unknown));
        Ok(())
    }

    fn nothing_to_undo(&mut self, turn: &mut Turn, path: Arc<str>) {
        self.note(turn, Event::OutcomeFound { path, output: None });
    }
}
