//! Replaying the dead letter of a message: it goes back to its place in its lane, as it was told.

use port::Repeat;
use serde_json::Value;
use store::{Batch, DeadLetter, DeadOp, DeadState, OutboxOp, OutboxRow};

use super::Engine;
use crate::Error;

/// What a person can do about a dead letter, besides letting go of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// It can be replayed.
    Replay,
    /// Nobody knows whether its message arrived. It can be replayed under its key, or settled.
    Doubted,
    /// Nobody knows whether its message arrived, and it must not be repeated. It is settled, or a person says that it is sent
    /// again.
    Unsettled,
    /// Its run is over, or has gone on without it.
    Gone,
}

impl Engine {
    /// What can be done about a dead letter.
    ///
    /// # Errors
    /// The store's, and what is wrong with the run's journal.
    pub async fn remedy(&self, letter: &DeadLetter) -> Result<Remedy, Error> {
        let Some((run, step)) = letter.source.split_once('/') else { return Ok(Remedy::Replay) };
        if let Some(state) = self.waiting_step(run, step).await? {
            return Ok(if state.is_stuck(step) { Remedy::Replay } else { Remedy::Gone });
        }
        let row = self.0.store.outbox_one(&letter.source).await?;
        Ok(match perhaps(row.as_ref(), letter) {
            false => Remedy::Replay,
            true if self.may_repeat(letter) => Remedy::Doubted,
            true => Remedy::Unsettled,
        })
    }

    pub(super) async fn replay_tell(
        &self,
        letter: &DeadLetter,
        input: &Value,
        send_again: bool,
    ) -> Result<(), Error> {
        let at = self.0.clock.now();
        let row = self.0.store.outbox_one(&letter.source).await?;
        let perhaps = perhaps(row.as_ref(), letter);
        if perhaps && !send_again && !self.may_repeat(letter) {
            let (run, step) = letter.source.split_once('/').unwrap_or((&letter.source, ""));
            return Err(Error::Unsettled { run: run.to_owned(), step: step.to_owned() });
        }
        let put = match row {
            Some(row) => revived(&row, letter, input, (send_again, at)),
            None => OutboxOp::Put(OutboxRow { perhaps, ..afresh(letter, input, (send_again, at)) }),
        };
        let resolve = DeadOp::Resolve { id: letter.id.clone(), how: DeadState::Replayed, at };
        let batch = Batch { outbox: vec![put], dead: vec![resolve], ..Batch::default() };
        self.commit_dead(&letter.id, batch).await?;
        self.0.outbox_put.notify_one();
        Ok(())
    }

    /// Whether a second sending does no harm. Of an operation that is not configured nobody can say so.
    fn may_repeat(&self, letter: &DeadLetter) -> bool {
        let link = self.0.systems.get(&letter.system);
        let operation = link.and_then(|link| link.spec().operation(&letter.operation));
        operation.is_some_and(|operation| operation.repeat != Repeat::Never)
    }
}

fn perhaps(row: Option<&OutboxRow>, letter: &DeadLetter) -> bool {
    row.map_or_else(|| may_have_landed(letter), |row| row.perhaps)
}

/// Whether a message arrived, perhaps, whose row was not kept: unless it never left, or was turned down.
fn may_have_landed(letter: &DeadLetter) -> bool {
    let turned_down = ["connect", "refused", "unauthorised", "not_found", "conflict", "invalid", "throttled"];
    let kind = letter.code.strip_prefix("call.").unwrap_or_default();
    !turned_down.contains(&kind) && letter.history.last().is_none_or(|tried| tried.attempts > 0)
}

/// The row keeps its place, its trace and what else was told with it; a person has said that it is to be sent. While it may
/// have arrived it goes to the member of a group that may have it, as its letter says.
fn revived(
    row: &OutboxRow,
    letter: &DeadLetter,
    input: &Value,
    (again, now): (bool, jiff::Timestamp),
) -> OutboxOp {
    let tell = serde_json::from_slice::<relay::Tell>(&row.payload).ok();
    let tell = tell.unwrap_or_else(|| told(letter, input));
    let named = row.target.split_once('.').is_some_and(|(system, _)| system != letter.system);
    let asked = if named { Some(letter.system.clone()) } else { tell.asked };
    let tell = relay::Tell { input: input.clone(), asked, again, ..tell };
    let payload = serde_json::to_vec(&tell).unwrap_or_default();
    OutboxOp::Revive { id: row.id.clone(), payload, perhaps: row.perhaps, now }
}

/// A letter from before rows were kept.
fn afresh(letter: &DeadLetter, input: &Value, (again, now): (bool, jiff::Timestamp)) -> OutboxRow {
    let tell = relay::Tell { again, ..told(letter, input) };
    OutboxRow {
        id: letter.source.clone(),
        kind: relay::KIND.to_owned(),
        lane: letter.system.clone(),
        key: tell.run.clone(),
        target: format!("{}.{}", letter.system, letter.operation),
        payload: serde_json::to_vec(&tell).unwrap_or_default(),
        tenant: letter.tenant.clone(),
        correlation: letter.correlation.clone(),
        created: now,
        due: now,
        ..OutboxRow::default()
    }
}

fn told(letter: &DeadLetter, input: &Value) -> relay::Tell {
    let (run, step) = letter.source.split_once('/').unwrap_or((&letter.source, ""));
    relay::Tell {
        input: input.clone(),
        key: letter.key.clone().unwrap_or_default(),
        run: run.to_owned(),
        step: step.to_owned(),
        trace: None,
        undone: true,
        holds: true,
        look: None,
        asked: None,
        again: false,
    }
}
