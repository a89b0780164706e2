//! One system behind its counter: its state, its record, its memory of keys, and the knobs set on it.

use std::io;
use std::path::Path;

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::keys::{Found, Keys, fingerprint};
use crate::knob::{Drop, Knob, Knobs};
use crate::ledger::{Answered, Entry, Ledger, Outcome};
use crate::route::Asked;
use crate::systems::System;

/// One call to a system.
pub(crate) struct Call {
    pub(crate) asked: Asked,
    pub(crate) read: bool,
    pub(crate) key: Option<String>,
    pub(crate) correlation: Option<String>,
    pub(crate) traceparent: Option<String>,
    pub(crate) query: String,
    pub(crate) body: Bytes,
}

/// A system and what belongs to it.
pub(crate) struct Desk {
    pub(crate) system: Box<dyn System>,
    pub(crate) ledger: Ledger,
    pub(crate) knobs: Knobs,
    keys: Keys,
    honour_keys: bool,
}

impl Desk {
    /// Opens a system's counter.
    pub(crate) fn open(
        system: Box<dyn System>,
        honour_keys: bool,
        records: Option<&Path>,
    ) -> io::Result<Self> {
        let file = records.map(|folder| folder.join(format!("{}.jsonl", system.name())));
        let ledger = Ledger::open(file.as_deref())?;
        Ok(Self { system, ledger, knobs: Knobs::default(), keys: Keys::default(), honour_keys })
    }

    /// Performs a call under a knob and writes it down. Waiting and dropping are the door's business.
    pub(crate) fn perform(&mut self, call: &Call, knob: &Knob) -> Answer {
        self.ledger.count(call.asked.operation);
        let (outcome, answer) = self.outcome(call, knob);
        if call.read {
            return answer;
        }
        match self.ledger.write(entry(call, knob, outcome, &answer)) {
            Ok(()) => answer,
            Err(error) => Answer::problem(500, "the record cannot be written", error.to_string()),
        }
    }

    fn outcome(&mut self, call: &Call, knob: &Knob) -> (Outcome, Answer) {
        if let Some(prevented) = prevented(knob) {
            return (Outcome::Prevented, prevented);
        }
        let key = call.key.as_deref().filter(|_| self.honour_keys && !call.read);
        let request = fingerprint(call.asked.operation, &call.asked.id, &call.body);
        match key.map_or(Found::New, |key| self.keys.find(key, request)) {
            Found::Same(answer) => return (Outcome::Replayed, answer),
            Found::Other => {
                let says = "the idempotency key was used for another request";
                return (Outcome::Declined, Answer::problem(422, "key used before", says));
            }
            Found::New => {}
        }
        let answer = match call.asked.operation {
            "health" => Answer::read(json!({ "status": "ok" })),
            _ => self.system.act(call),
        };
        if !answer.effect {
            return (Outcome::Declined, answer);
        }
        if let Some(key) = key {
            self.keys.remember(key, request, &answer);
        }
        (Outcome::Acted, answer)
    }
}

/// The answer of a call that a knob keeps from acting.
fn prevented(knob: &Knob) -> Option<Answer> {
    if knob.drop == Some(Drop::Before) {
        return Some(Answer::problem(503, "dropped", "told to drop the connection before acting"));
    }
    if let Some(fail) = &knob.fail {
        let answer = Answer::problem(fail.status, "told to fail", "this system was told to answer so");
        return Some(Answer { retry_after: fail.retry_after, ..answer });
    }
    knob.refuse.as_deref().map(|reason| Answer::problem(402, reason, "this system was told to refuse"))
}

fn entry(call: &Call, knob: &Knob, outcome: Outcome, answer: &Answer) -> Entry {
    let answered = match (knob.drop, knob.late) {
        (Some(_), _) => Answered::Dropped,
        (None, Some(_)) => Answered::Late,
        (None, None) => Answered::Sent,
    };
    Entry {
        seq: 0,
        at: Timestamp::UNIX_EPOCH,
        operation: call.asked.operation.to_owned(),
        id: call.asked.id.clone(),
        key: call.key.clone(),
        correlation: call.correlation.clone(),
        traceparent: call.traceparent.clone(),
        body: serde_json::from_slice(&call.body).unwrap_or(Value::Null),
        outcome,
        status: answer.status,
        answered,
        answer: answer.body.clone(),
    }
}
