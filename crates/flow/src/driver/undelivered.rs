//! What was told and is not delivered yet, as people see it. A `tell` is done for its run when it is written down; whether
//! its message has arrived is seen here.

use jiff::Timestamp;
use port::Rejection;
use serde::Serialize;
use store::{OutboxFilter, OutboxRow};

use super::Engine;
use super::stuck::GUARDS;
use crate::{BlockedOn, Error};

/// A message that waits in the outbox.
#[derive(Clone, Debug, Serialize)]
pub struct Undelivered {
    /// Its name: the run and the step that told it.
    pub id: String,
    /// Whom it goes to.
    pub system: String,
    /// What is to be done there.
    pub operation: String,
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
        Ok(self.0.store.outbox(filter).await?.into_iter().map(shown).collect())
    }
}

fn shown(row: OutboxRow) -> Undelivered {
    let (system, operation) = row.target.split_once('.').unwrap_or((&row.target, ""));
    let (system, operation) = (system.to_owned(), operation.to_owned());
    let reason = reason(&row);
    let blocked_on = BlockedOn {
        system: Some(system.clone()),
        until: row.cause.is_some().then_some(row.due),
        ..BlockedOn::plain(reason, row.created)
    };
    Undelivered {
        system,
        operation,
        since: row.created,
        attempts: row.attempts,
        sent: row.sent,
        blocked_on,
        cause: row.cause,
        correlation: row.correlation,
        id: row.id,
    }
}

fn reason(row: &OutboxRow) -> &'static str {
    let guard = GUARDS.map(Rejection::as_str).into_iter().find(|guard| row.blocked.as_deref() == Some(guard));
    match (guard, &row.cause) {
        (Some(guard), _) => guard,
        (None, Some(_)) => "retry",
        (None, None) => "delivery",
    }
}
