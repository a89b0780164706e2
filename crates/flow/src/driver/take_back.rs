//! Undoing a `tell`: a message that was not sent is taken back, one that is being delivered is waited for, and only one
//! that has, or may have, arrived is undone.

use std::sync::Arc;

use jiff::SignedDuration;
use store::{DeadOp, DeadState, OutboxOp, OutboxRow};

use super::letter::letter_id;
use super::runner::{Runner, Stop};
use super::turn::Turn;
use crate::core::{Effect, Event, Purpose};

/// How long until it is looked again whether a message has been delivered.
const AWHILE: SignedDuration = SignedDuration::from_millis(250);

impl Runner {
    /// Makes a call, unless what it undoes is a message that need not be undone.
    pub(super) async fn call_or_take_back(&mut self, turn: &mut Turn, effect: Effect) -> Result<(), Stop> {
        let told = effect.purpose == Purpose::Undo
            && self.state.task(&effect.path).is_some_and(|task| task.verb == "tell");
        match effect.path.strip_suffix("/undo").filter(|_| told) {
            None => self.call(turn, effect),
            Some(step) => {
                let message = format!("{}/{step}", self.run);
                self.take_back(turn, effect, &message).await?;
            }
        }
        Ok(())
    }

    async fn take_back(&mut self, turn: &mut Turn, effect: Effect, message: &str) -> Result<(), Stop> {
        let at = self.engine.0.clock.now();
        let Some(claim) = self.engine.0.claims.take(message) else {
            let until = at.checked_add(AWHILE).unwrap_or(at);
            self.note(turn, Event::DeliveryAwaited { path: effect.path, until });
            return Ok(());
        };
        turn.claims.push(claim);
        let written = turn.batch.outbox.len();
        turn.batch.outbox.retain(|op| !matches!(op, OutboxOp::Put(row) if row.id == message));
        let fresh = turn.batch.outbox.len() < written;
        let row = if fresh { None } else { self.engine.0.store.outbox_one(message).await? };
        // Nobody is to send it after it was undone.
        let id = letter_id(message);
        turn.batch.dead.push(DeadOp::Settle { id, how: DeadState::Discarded, at });
        if row.is_some() {
            turn.batch.outbox.push(OutboxOp::Done { id: message.to_owned() });
        }
        match row {
            Some(OutboxRow { perhaps: false, .. }) => self.nothing_to_undo(turn, effect.path),
            None if fresh => self.nothing_to_undo(turn, effect.path),
            Some(_) | None => self.call(turn, effect),
        }
        Ok(())
    }

    fn nothing_to_undo(&mut self, turn: &mut Turn, path: Arc<str>) {
        self.note(turn, Event::OutcomeFound { path, output: None });
    }
}
