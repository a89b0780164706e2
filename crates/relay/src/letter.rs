//! Dead letters of messages.

use jiff::Timestamp;
use port::{Fault, Landed};
use store::{DeadLetter, DeadState, OutboxRow, Tried};

use crate::send::Target;
use crate::tell::Tell;

/// The one letter of a row, however often it dies.
pub(crate) fn letter_id(row: &str) -> String {
    DeadLetter::id_of(row)
}

/// The letter of a row of which nothing more is tried.
pub(crate) fn letter(row: &OutboxRow, tell: &Tell, code: &str, fault: &Fault, now: Timestamp) -> DeadLetter {
    let Target { system, operation } = Target::of(&row.target);
    let message = message(fault);
    let history = history(row, code, &message, fault, now);
    DeadLetter {
        id: letter_id(&row.id),
        tenant: row.tenant.clone(),
        source: row.id.clone(),
        // Sent again, it goes to the member that may have acted.
        system: fault.member.as_deref().filter(|_| fault.landed != Landed::No).unwrap_or(system).to_owned(),
        operation: operation.to_owned(),
        code: code.to_owned(),
        message,
        first: history.first().map_or(now, |tried| tried.at),
        history,
        input: tell.input.to_string().into_bytes(),
        key: Some(tell.key.clone()),
        correlation: row.correlation.clone(),
        last: now,
        state: DeadState::Open,
        resolved: None,
    }
}

fn message(fault: &Fault) -> String {
    let said = fault.words();
    match fault.landed {
        Landed::Unknown => format!("{said}; nobody knows whether it arrived"),
        Landed::No | Landed::Yes => said,
    }
}

fn history(row: &OutboxRow, code: &str, message: &str, fault: &Fault, now: Timestamp) -> Vec<Tried> {
    let earlier = row.cause.as_ref().map(|cause| Tried {
        at: row.due,
        code: "earlier".into(),
        message: cause.clone(),
        attempts: row.sent,
    });
    let last =
        Tried { at: now, code: code.to_owned(), message: message.to_owned(), attempts: fault.attempts };
    earlier.into_iter().chain([last]).collect()
}
