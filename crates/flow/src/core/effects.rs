//! What a run wanted in other systems, and what became of it: the ledger of its effects, as the journal has it.

use jiff::Timestamp;
use port::Landed;
use serde::Serialize;

use super::Author;
use super::record::{Look, Record, RecordStatus, Undo};
use super::state::State;
use super::told::Told;
use crate::definition::Call;
use crate::view::LookedUp;

/// One effect that a run wanted in another system.
#[derive(Clone, Debug, Serialize)]
pub struct EffectView {
    /// The run.
    pub run: String,
    /// Its flow.
    pub flow: String,
    /// The conversation that caused it.
    pub conversation: Option<String>,
    /// The entity that it is about.
    pub entity: Option<String>,
    /// The entity that the run above all is about, when another run began this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root_entity: Option<String>,
    /// The step, with the iterations it is in.
    pub step: String,
    /// The system that was asked.
    pub system: String,
    /// What it was asked to do.
    pub operation: String,
    /// The member that acted, or may have, when the system is a group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub member: Option<String>,
    /// What names the effect for ever.
    pub key: String,
    /// When it was first sent; of a message, when it was written down.
    pub sent: Option<Timestamp>,
    /// What became of it.
    pub outcome: Landing,
    /// How that is known; `null` while it is not.
    pub known_by: Option<KnownBy>,
    /// Who said what became of it, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settled: Option<Author>,
    /// Look-ups of whether it landed, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub looks: Vec<LookedUp>,
    /// What became of its undoing, when it was to be undone.
    pub undo: Option<UndoView>,
}

/// What became of an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Landing {
    /// It was not sent yet, or is on its way.
    Pending,
    /// It is there, or was until it was undone.
    Landed,
    /// It is not.
    DidNotLand,
    /// Nobody knows.
    Unknown,
}

/// How it is known what became of an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KnownBy {
    /// The system's answer.
    Answer,
    /// A look-up.
    LookUp,
    /// A person.
    Person,
}

/// What became of an undoing.
#[derive(Clone, Debug, Serialize)]
pub struct UndoView {
    /// How it stands.
    pub state: Undone,
    /// What names it for ever.
    pub key: String,
    /// Who said what became of it, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settled: Option<Author>,
}

/// How an undoing stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Undone {
    /// It is being undone.
    Pending,
    /// It was undone.
    Undone,
    /// Nothing was there.
    NothingToUndo,
    /// It could not be undone; a person has to look.
    Parked,
    /// Nobody knows whether it was undone; a person has to look.
    Unknown,
}

impl State {
    /// The effects of this run, in the order in which their steps were entered.
    pub(crate) fn intents(&self) -> Vec<EffectView> {
        let own = |record: &Record| match record.own_undo() {
            Some(undo) => self.intent(record, undo, self.undo_landing(record)),
            None if record.is_effect() => self.intent(record, record.task.body.call()?, self.landing(record)),
            None => None,
        };
        self.earlier.iter().chain(&self.records).filter_map(own).collect()
    }

    fn intent(&self, record: &Record, call: &Call, outcome: Landing) -> Option<EffectView> {
        let never =
            matches!(record.status, RecordStatus::Skipped | RecordStatus::Dropped) && record.attempts == 0;
        if never && record.sent.is_none() {
            return None;
        }
        let start = &self.start;
        Some(EffectView {
            run: start.run.clone(),
            flow: start.flow.clone(),
            conversation: start.conversation.clone(),
            entity: start.entity().map(str::to_owned),
            root_entity: start.about.clone(),
            step: record.path.to_string(),
            system: call.system.to_string(),
            operation: call.operation.to_string(),
            member: record.member.as_deref().map(str::to_owned),
            key: self.last_key(&record.path, record),
            sent: record.sent.or_else(|| (record.attempts > 0 || is_told(record)).then_some(record.started)),
            outcome,
            known_by: known_by(record, outcome),
            settled: record.settled.clone(),
            looks: record.looks.iter().map(LookedUp::from).collect(),
            undo: self.undo_of(record),
        })
    }

    fn landing(&self, record: &Record) -> Landing {
        let path = &record.path;
        match record.status {
            _ if self.left_nothing(path) => Landing::DidNotLand,
            _ if is_told(record) => self.delivered_as(path),
            RecordStatus::Succeeded | RecordStatus::Compensated => match self.is_known(path) {
                true => Landing::Landed,
                false => Landing::Unknown,
            },
            RecordStatus::Unknown | RecordStatus::Parked => Landing::Unknown,
            RecordStatus::Failed => match record.error.as_ref().map(|error| error.landed) {
                Some(Landed::Yes) => Landing::Landed,
                Some(Landed::Unknown) => Landing::Unknown,
                Some(Landed::No) | None => Landing::DidNotLand,
            },
            RecordStatus::Running | RecordStatus::Waiting | RecordStatus::Blocked => {
                match self.leaf(path).is_some_and(|leaf| leaf.perhaps) {
                    true => Landing::Unknown,
                    false => Landing::Pending,
                }
            }
            RecordStatus::Skipped | RecordStatus::Dropped => Landing::DidNotLand,
        }
    }

    /// Of the call that undoes a run which a step began.
    fn undo_landing(&self, record: &Record) -> Landing {
        match record.status {
            RecordStatus::Parked => match record.error.as_ref().map(|error| error.landed) {
                Some(Landed::Yes) => Landing::Landed,
                _ => Landing::DidNotLand,
            },
            _ => self.landing(record),
        }
    }

    /// A step that was undone without an answer stays one of which nobody knows.
    fn is_known(&self, path: &str) -> bool {
        self.done.iter().rev().find(|done| *done.path == *path).is_none_or(|done| done.known)
    }

    fn delivered_as(&self, path: &str) -> Landing {
        match self.told(path) {
            Some(Told::Delivered) | Some(Told::Dead(Landed::Yes)) => Landing::Landed,
            Some(Told::Dead(Landed::No)) => Landing::DidNotLand,
            Some(Told::Dead(Landed::Unknown) | Told::Lost) => Landing::Unknown,
            None => Landing::Pending,
        }
    }

    fn undo_of(&self, record: &Record) -> Option<UndoView> {
        let path = format!("{}/undo", record.path);
        let undo = self.record(&path);
        let done = self.done.iter().rev().find(|done| done.path == record.path)?;
        let state = match done.undo {
            Undo::Compensated => Undone::Undone,
            Undo::Nothing => Undone::NothingToUndo,
            Undo::Parked if done.undo_settles.is_some() => Undone::Unknown,
            Undo::Parked => Undone::Parked,
            Undo::Pending if self.is_active(&path) => Undone::Pending,
            Undo::Pending | Undo::InDoubt => return None,
        };
        let settled = undo.and_then(|undo| undo.settled.clone());
        Some(UndoView { state, key: self.last_key(&path, record), settled })
    }
}

fn is_told(record: &Record) -> bool {
    record.task.verb == "tell" && record.ended.is_some()
}

fn known_by(record: &Record, outcome: Landing) -> Option<KnownBy> {
    let landed = match outcome {
        Landing::Pending | Landing::Unknown => return None,
        Landing::Landed => true,
        Landing::DidNotLand => false,
    };
    let looked = record.looks.last().is_some_and(|look| look.found == Some(landed));
    Some(match record.settled_as {
        Some(said) if said == landed => KnownBy::Person,
        _ if looked => KnownBy::LookUp,
        _ => KnownBy::Answer,
    })
}

impl From<&Look> for LookedUp {
    fn from(look: &Look) -> Self {
        Self { at: look.at, found: look.found, answer: look.answer.as_deref().cloned() }
    }
}
