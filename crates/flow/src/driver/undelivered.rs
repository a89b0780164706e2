//! What was told and is not delivered yet, as people see it. A `tell` is done for its run when it is written down; whether
//! its message has arrived is seen here.

use jiff::Timestamp;
use port::Rejection;
use serde::Serialize;
use serde_json::json;
use store::{DeadState, OutboxFilter, OutboxRow, OutboxStage};

use super::Engine;
use super::letter::letter_id;
use super::stuck::GUARDS;
use crate::{BlockedOn, Error, Letter};

/// A message that waits in the outbox.
#[derive(Clone, Debug, Serialize)]
pub struct Undelivered {
    /// Its name: the run and the step that told it.
    pub id: String,
    /// Whom it goes to.
    pub system: String,
    /// What is to be done there.
    pub operation: String,
    /// Messages of one system and key are delivered one at a time, in the order in which they were told.
    pub key: String,
    /// Since when it waits.
    pub since: Timestamp,
    /// Rounds of delivery in vain; one that a guard kept in is none.
    pub attempts: u32,
    /// How often it was sent, retries of the guard included.
    pub sent: u32,
    /// What it waits for.
    pub blocked_on: BlockedOn,
    /// Why the last round was in vain.
    pub cause: Option<String>,
    /// One id for everything that one request set in motion.
    pub correlation: String,
}

impl Engine {
    /// Messages that are not delivered yet, the oldest first; what is being delivered now among them.
    ///
    /// # Errors
    /// The store's.
    pub async fn undelivered(&self, filter: &OutboxFilter) -> Result<Vec<Undelivered>, Error> {
        let rows = self.0.store.outbox(filter).await?;
        let mut shown = Vec::with_capacity(rows.len());
        for row in rows {
            let ahead = match row.stage {
                OutboxStage::Behind => self.0.store.outbox_ahead(&row.lane, &row.key).await?,
                OutboxStage::Ready | OutboxStage::Dead | OutboxStage::Passed => None,
            };
            shown.push(show(row, ahead));
        }
        Ok(shown)
    }
}

fn show(row: OutboxRow, ahead: Option<String>) -> Undelivered {
    let (system, operation) = row.target.split_once('.').unwrap_or((&row.target, ""));
    let (system, operation) = (system.to_owned(), operation.to_owned());
    let (reason, letter) = (reason(&row), letter(&row));
    let waits = row.cause.is_some() || row.blocked.is_some();
    let blocked_on = BlockedOn {
        system: Some(system.clone()),
        until: (waits && row.stage == OutboxStage::Ready).then_some(row.due),
        on: ahead.map(|message| json!({ "message": message })),
        letter,
        ..BlockedOn::plain(reason, row.created)
    };
    Undelivered {
        system,
        operation,
        key: row.key,
        since: row.created,
        attempts: row.attempts,
        sent: row.sent,
        blocked_on,
        cause: row.cause,
        correlation: row.correlation,
        id: row.id,
    }
}

fn letter(row: &OutboxRow) -> Option<Letter> {
    let dead = row.stage == OutboxStage::Dead;
    dead.then(|| Letter { id: letter_id(&row.id), state: DeadState::Open })
}

fn reason(row: &OutboxRow) -> &'static str {
    let guard = GUARDS.map(Rejection::as_str).into_iter().find(|guard| row.blocked.as_deref() == Some(guard));
    match (row.stage, guard, &row.blocked, &row.cause) {
        (OutboxStage::Behind, ..) => "behind",
        (OutboxStage::Dead | OutboxStage::Passed, ..) => "dead_letter",
        (OutboxStage::Ready, Some(guard), ..) => guard,
        (OutboxStage::Ready, None, Some(kept), _) if kept == "verifying" => "verifying",
        (OutboxStage::Ready, None, Some(_), _) => "blocked",
        (OutboxStage::Ready, None, None, Some(_)) => "retry",
        (OutboxStage::Ready, None, None, None) => "delivery",
    }
}
