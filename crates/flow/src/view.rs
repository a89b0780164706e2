//! What people see of a run: the API serves it, the timeline prints it.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use store::{DeadState, RunRow, RunStatus};

use crate::core::{Answered, Author, Decided, Failure, Record, RecordStatus, Rollback, State, Told};
use crate::definition::Definition;

/// A run.
#[derive(Clone, Debug, Serialize)]
pub struct RunView {
    /// Its id.
    pub id: String,
    /// The flow's name.
    pub flow: String,
    /// Content hash of the definition it pins.
    pub hash: String,
    /// Runs with one key go one at a time.
    pub key: Option<String>,
    /// Where it stands.
    pub status: RunStatus,
    /// On whose behalf.
    pub tenant: String,
    /// The conversation that caused it.
    pub conversation: Option<String>,
    /// The commit act that caused it.
    pub commit: Option<String>,
    /// When it was begun.
    pub started: Timestamp,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// What it waits for.
    pub blocked_on: Option<BlockedOn>,
    /// The step of which nobody knows whether it landed, while that is so; of a run below, with the step that began it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unknown: Option<String>,
    /// Its steps, in the order in which they were entered.
    pub steps: Vec<StepView>,
    /// What was undone, in the order of undoing.
    pub compensation: Vec<StepView>,
    /// The flow's `result`.
    pub result: Option<Value>,
    /// Why it failed; `step` names the step.
    pub error: Option<Failure>,
    /// What was undone and what not, once it has come to nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollback: Option<Rollback>,
    /// What people decided about it, oldest first; the last 100.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub decisions: Vec<Decided>,
    /// How long it should take at most.
    pub sla_ms: Option<u64>,
    /// Whether it has taken longer.
    pub sla_breached: bool,
}

/// What a run waits for.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BlockedOn {
    /// `verifying` (nobody knows whether the step landed, and it is looked up), `blocked` (something is not configured), `expression` and `input` (our own faults: a person looks), `queued`, `race_losers` (the steps are done, and losers of a race are being undone), `by a person`, `exhausted`, `outcome_unknown`, `retry`, `timer`, `answer`, `parked`, of a message in the
    /// outbox that was not tried yet `delivery`, of one that others go before `behind`, of a dead one that holds others up
    /// `dead_letter`, or the guard that keeps the call in: `breaker_open`, `bulkhead_full`, `rate_limited`, `deadline_too_near`.
    pub reason: &'static str,
    /// The step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// The system that keeps it waiting.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// Whether what waits is to find out if the step landed, before anything is done or undone.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub verifying: bool,
    /// What answer it waits for; or the run ahead of one that is queued, only where one run is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on: Option<Value>,
    /// Since when.
    pub since: Timestamp,
    /// Until when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Whether nothing but a timer can wake it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub timer_only: bool,
    /// The dead letter of the step, when a person has to decide; only where one run is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub letter: Option<Letter>,
}

impl BlockedOn {
    pub(crate) fn plain(reason: &'static str, since: Timestamp) -> Self {
        Self {
            reason,
            step: None,
            system: None,
            verifying: false,
            on: None,
            since,
            until: None,
            timer_only: false,
            letter: None,
        }
    }
}

/// A dead letter, as far as its run is concerned.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Letter {
    /// Its id.
    pub id: String,
    /// Open, or discarded: then the run goes on only when it is resumed or cancelled.
    pub state: DeadState,
}

/// A step.
#[derive(Clone, Debug, Serialize)]
pub struct StepView {
    /// Its name, with the iterations it is in: `reserve[0]`.
    pub path: String,
    /// Its verb.
    pub task: &'static str,
    /// The system it calls.
    pub system: Option<String>,
    /// The operation it calls.
    pub operation: Option<String>,
    /// The member that acted, or may have, when the system is a group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub member: Option<String>,
    /// How it stands.
    pub status: StepStatus,
    /// Attempts made.
    pub attempts: u32,
    /// When it was entered.
    pub started: Timestamp,
    /// How long its last call took.
    pub duration_ms: Option<u64>,
    /// Its output.
    pub result: Option<Value>,
    /// What the protocol said of the answer: a status, and what the operation keeps beside the output.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered: Option<Answered>,
    /// Why it failed.
    pub error: Option<Failure>,
    /// Earlier rounds, oldest first.
    pub history: Vec<Attempted>,
    /// What became of its message, when it told one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivery: Option<Delivery>,
    /// Look-ups of whether it landed, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub looks: Vec<LookedUp>,
    /// Who said what became of it, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settled: Option<Author>,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// It waits in the outbox, or is on its way.
    Pending,
    /// It arrived; `result` is what the system answered.
    Delivered,
    /// It is a dead letter.
    Dead,
    /// It was not sent, and will not be.
    Withdrawn,
}

/// A look-up of whether a step landed.
#[derive(Clone, Debug, Serialize)]
pub struct LookedUp {
    /// When.
    pub at: Timestamp,
    /// Whether it was there; `null` when it could not be looked up.
    pub found: Option<bool>,
    /// What the system answered, shortened.
    pub answer: Option<Value>,
}

/// A round that was in vain.
#[derive(Clone, Debug, Serialize)]
pub struct Attempted {
    /// When.
    pub at: Timestamp,
    /// Why.
    pub error: Failure,
}

/// How a step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StepStatus {
    /// Its call is out, or its steps are being done.
    Running,
    /// For a timer, an answer or an event.
    Waiting,
    /// By a guard, a backoff or a pause.
    Blocked,
    /// Its call was sent and nobody knows whether it landed, which is being found out.
    Verifying,
    /// Done.
    Succeeded,
    /// Not done.
    Failed,
    /// Nobody knows whether it was done.
    Unknown,
    /// Its `if` did not hold, or there was nothing to undo.
    Skipped,
    /// Done and undone; of a compensation: it has undone its step.
    Compensated,
    /// Could not be undone; a person has to look.
    Parked,
    /// The run went another way.
    Dropped,
}

impl From<RecordStatus> for StepStatus {
    fn from(status: RecordStatus) -> Self {
        match status {
            RecordStatus::Running => Self::Running,
            RecordStatus::Waiting => Self::Waiting,
            RecordStatus::Blocked => Self::Blocked,
            RecordStatus::Succeeded => Self::Succeeded,
            RecordStatus::Failed => Self::Failed,
            RecordStatus::Unknown => Self::Unknown,
            RecordStatus::Skipped => Self::Skipped,
            RecordStatus::Compensated => Self::Compensated,
            RecordStatus::Parked => Self::Parked,
            RecordStatus::Dropped => Self::Dropped,
        }
    }
}

/// Shows a run.
pub(crate) fn of(row: &RunRow, definition: &Definition, state: &State) -> RunView {
    let (undone, steps): (Vec<&Record>, Vec<&Record>) =
        state.records.iter().partition(|record| record.path.ends_with("/undo"));
    RunView {
        id: row.id.clone(),
        flow: row.flow.clone(),
        hash: row.hash.clone(),
        key: row.key.clone(),
        status: state.status(),
        tenant: row.tenant.clone(),
        conversation: row.conversation.clone(),
        commit: row.commit.clone(),
        started: state.started,
        ended: state.ended_at,
        blocked_on: blocked_on(state),
        unknown: unknown(state),
        steps: steps.into_iter().map(|record| step(state, record)).collect(),
        compensation: undone.into_iter().map(|record| step(state, record)).collect(),
        result: state.ended.as_ref().map(|ended| ended.result.clone()),
        error: state.ended.as_ref().and_then(|ended| ended.error.clone()),
        rollback: state.ended.as_ref().and_then(|ended| ended.error.as_ref()).map(|_| state.rollback()),
        decisions: state.decided.clone(),
        sla_ms: definition.sla.and_then(|sla| u64::try_from(sla.as_millis()).ok()),
        sla_breached: state.breached,
    }
}

fn unknown(state: &State) -> Option<String> {
    let status = state.status();
    let open = !status.is_ended() || status == RunStatus::Parked;
    state.unknown().filter(|_| open).map(ToString::to_string)
}

fn step(state: &State, record: &Record) -> StepView {
    let call = state.asked(&record.path);
    let status = match record.status {
        RecordStatus::Running | RecordStatus::Blocked if state.verifies(&record.path) => {
            StepStatus::Verifying
        }
        status => status.into(),
    };
    StepView {
        path: record.path.to_string(),
        task: record.task.verb,
        system: call.map(|call| call.system.to_string()),
        operation: call.map(|call| call.operation.to_string()),
        member: record.member.as_deref().map(str::to_owned),
        status,
        attempts: record.attempts,
        started: record.started,
        duration_ms: record.ms,
        result: record.output.as_deref().cloned(),
        answered: record.answered.clone(),
        error: record.error.clone(),
        delivery: delivery(state, record),
        history: record
            .history
            .iter()
            .map(|(at, error)| Attempted { at: *at, error: error.clone() })
            .collect(),
        looks: record.looks.iter().map(LookedUp::from).collect(),
        settled: record.settled.clone(),
    }
}

fn delivery(state: &State, record: &Record) -> Option<Delivery> {
    let told = record.task.verb == "tell" && record.ended.is_some() && !record.path.ends_with("/undo");
    told.then(|| match state.told(&record.path) {
        _ if state.left_nothing(&record.path) => Delivery::Withdrawn,
        Some(Told::Delivered) => Delivery::Delivered,
        Some(Told::Dead(_) | Told::Lost) => Delivery::Dead,
        None => Delivery::Pending,
    })
}

/// What a run waits for: the pause, or the first of its steps that waits.
pub(crate) fn blocked_on(state: &State) -> Option<BlockedOn> {
    let plain = BlockedOn::plain;
    match (state.status(), &state.paused) {
        (RunStatus::Queued, _) => Some(plain("queued", state.started)),
        (RunStatus::Parked, _) => Some(plain("parked", state.now)),
        (RunStatus::Paused, Some(paused)) => {
            let step = paused.step.as_ref();
            let system = step.and_then(|step| state.asked_at(step)).map(|system| system.to_string());
            Some(BlockedOn {
                step: step.map(ToString::to_string),
                system,
                ..plain(paused.reason, paused.since)
            })
        }
        (status, _) if status.is_ended() => None,
        _ if state.waits_for_losers() => Some(state.waits().unwrap_or_else(|| BlockedOn {
            step: state.losing_step().map(str::to_owned),
            ..plain("race_losers", state.now)
        })),
        _ => state.waits(),
    }
}
