//! What happened to a run: the journal. Written once, never changed; a run is the fold of these.

use std::sync::Arc;

use jiff::Timestamp;
use port::Rejection;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::answered::Answered;
use super::author::Author;
use super::failure::Failure;
use super::held::Held;
use super::outcome::Ended;
use super::question::QuestionEnd;
use super::start::Start;
use super::timer::Timer;

/// One entry of a run's journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub(crate) enum Event {
    RunStarted(Arc<Start>),
    /// It is this run's turn among those with its key.
    RunTaken,
    /// Write-ahead intent of a call that must not be made twice: from here until an outcome is written, nobody knows.
    StepStarted {
        path: Arc<str>,
        /// The member that is asked, when the system is a group. A later entry says that those before did not act.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        member: Option<Arc<str>>,
        /// After this nothing of this send leaves the house.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        leaves_until: Option<Timestamp>,
        /// How the system knows a repeat of it, where that may change.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        keyed_as: Option<Arc<str>>,
    },
    /// The system is still at an earlier request with this key, or nothing can be concluded yet: asked again then,
    /// and no attempt is spent.
    StepUnfinished {
        path: Arc<str>,
        error: Failure,
        until: Timestamp,
    },
    /// It was looked up whether the step landed.
    OutcomeLookedUp {
        path: Arc<str>,
        /// What the system answered, shortened; whole when it was looked up before the step was sent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        answer: Option<Arc<Value>>,
        /// Why it could not be looked up.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<Failure>,
        /// When it is looked up again; never, when that was the last time.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
        /// Before the step was sent.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        before: bool,
    },
    /// A person found out what became of a step: its output, or that it did not land.
    StepSettled {
        path: Arc<str>,
        landed: bool,
        #[serde(default)]
        output: Arc<Value>,
        #[serde(flatten)]
        by: Author,
    },
    /// A guard kept the call in; no attempt was spent.
    StepBlocked {
        path: Arc<str>,
        reason: Rejection,
        system: Arc<str>,
        until: Timestamp,
        /// An attempt went out before, and may have landed.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        perhaps: bool,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        member: Option<Arc<str>>,
    },
    /// A message that the step told has arrived; what the system answered, `null` when that was lost.
    TellDelivered {
        path: Arc<str>,
        output: Arc<Value>,
        attempts: u32,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        member: Option<Arc<str>>,
    },
    /// A message that the step told is a dead letter. It may be delivered later, when somebody replays the letter.
    TellDied {
        path: Arc<str>,
        error: Failure,
    },
    /// A message of which nobody knows whether it arrived, and that is undone without its answer.
    TellLost {
        path: Arc<str>,
    },
    /// What is to be undone is a message that is being delivered.
    DeliveryAwaited {
        path: Arc<str>,
        until: Timestamp,
    },
    /// A durable round was in vain, another follows.
    StepRetried {
        path: Arc<str>,
        error: Failure,
        until: Timestamp,
    },
    StepSucceeded {
        path: Arc<str>,
        output: Arc<Value>,
        attempts: u32,
        ms: u64,
        /// The member that acted, when the system is a group; also below.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        member: Option<Arc<str>>,
        /// What the protocol said of the answer; of a call only.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        answered: Option<Answered>,
    },
    StepFailed {
        path: Arc<str>,
        error: Failure,
        ms: u64,
    },
    StepExhausted {
        path: Arc<str>,
        error: Failure,
    },
    StepUnknown {
        path: Arc<str>,
        error: Failure,
    },
    /// What a verification, or asking again under the same key, found: the output, or that nothing landed.
    OutcomeFound {
        path: Arc<str>,
        #[serde(flatten, with = "super::found")]
        output: Option<Arc<Value>>,
    },
    /// The run went another way before the step was tried again.
    StepDropped {
        path: Arc<str>,
    },
    /// The question is in the conversation, or the event is listened for from this position of the log.
    StepWaiting {
        path: Arc<str>,
        on: Value,
        after: u64,
    },
    /// Events of the topic up to this version were looked at for the step, and none of them was for it.
    TopicRead {
        path: Arc<str>,
        upto: u64,
    },
    /// A step is held by a fault of our own: what is missing from the configuration, or an expression or input that a person
    /// has to look at. Nothing was sent for it.
    StepHeld {
        path: Arc<str>,
        reason: Held,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        missing: Option<String>,
        error: Failure,
    },
    /// The question is in the conversation.
    QuestionAsked {
        path: Arc<str>,
        question: Arc<str>,
        on: Value,
    },
    /// The question was closed in the conversation without an answer.
    QuestionClosed {
        path: Arc<str>,
        how: QuestionEnd,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    ChildStarted {
        path: Arc<str>,
        run: String,
    },
    /// What the run that a step began says of a step of its own: nobody knows whether it landed, or that is known now.
    ChildUnknown {
        path: Arc<str>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step: Option<Arc<str>>,
    },
    TimerSet {
        path: Arc<str>,
        timer: Timer,
        due: Timestamp,
    },
    TimerFired {
        path: Arc<str>,
        timer: Timer,
    },
    SignalTaken {
        path: Arc<str>,
        id: String,
        payload: Value,
    },
    StepCompensated {
        path: Arc<str>,
        attempts: u32,
        ms: u64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        member: Option<Arc<str>>,
    },
    CompensationParked {
        path: Arc<str>,
        error: Failure,
    },
    StepReplayed {
        path: Arc<str>,
        input: Option<Value>,
        #[serde(flatten)]
        by: Author,
        /// What nobody knows of is sent again.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        send_again: bool,
    },
    RunPaused {
        #[serde(flatten)]
        by: Author,
    },
    RunResumed {
        #[serde(flatten)]
        by: Author,
        /// What nobody knows of is sent again.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        send_again: bool,
        /// Of this step alone.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step: Option<Arc<str>>,
    },
    RunCancelling {
        #[serde(flatten)]
        by: Author,
    },
    RunRestarted {
        path: Arc<str>,
        #[serde(flatten)]
        by: Author,
        /// What nobody knows of is sent again.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        send_again: bool,
    },
    /// A run that had ended is undone.
    RunUndoing {
        #[serde(flatten)]
        by: Author,
        /// Also below a later run with its key that has succeeded.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        force: bool,
    },
    /// When its turn came, a later run with its key had succeeded: it stands as it did.
    UndoRefused {
        later: String,
    },
    /// Others with the run's key need not wait for it any more.
    KeyReleased {
        #[serde(flatten)]
        by: Author,
    },
    SlaBreached,
    RunEnded(Box<Ended>),
}
