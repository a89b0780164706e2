//! What is to be done next; the driver does it and answers with events.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use port::Repeat;
use serde_json::Value;

use super::held::Held;
use super::outcome::Ended;
use super::timer::Timer;
use crate::definition::{Answer, Members};

/// One thing to do.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Decision {
    /// Perform a call; answer with [`super::State::judge`]'s event.
    Call(Effect),
    /// Perform the step's call again, not before this time.
    Again {
        path: Arc<str>,
        until: Timestamp,
    },
    /// The run went another way: drop the step unless its call is in flight.
    Settle {
        path: Arc<str>,
    },
    /// Put a call into the outbox and go on.
    Tell(Effect),
    Publish {
        path: Arc<str>,
        topic: Arc<str>,
        payload: Value,
    },
    /// Say something in the conversation, and wait for the answer unless it is an emitted act.
    Say {
        path: Arc<str>,
        speech: Speech,
        timeout: Option<Duration>,
    },
    /// Close the step's question in the conversation.
    Withdraw {
        path: Arc<str>,
        question: Option<Arc<str>>,
        how: super::QuestionEnd,
    },
    /// Say in the conversation that silence was taken for a yes.
    Agree {
        path: Arc<str>,
        act: Value,
    },
    Listen {
        path: Arc<str>,
        answer: Answer,
        timeout: Option<Duration>,
    },
    Timer {
        path: Arc<str>,
        timer: Timer,
        due: Until,
    },
    Child {
        path: Arc<str>,
        flow: Arc<str>,
        input: Value,
    },
    StopChild {
        run: String,
    },
    /// Hold the step because of a fault of our own.
    Hold {
        path: Arc<str>,
        reason: Held,
        missing: Option<String>,
        error: super::Failure,
    },
    /// Look whether what a blocked step needs is there by now.
    LookAgain {
        path: Arc<str>,
    },
    /// Ask a run that the step began to undo what it did, and wait for it.
    UndoChild {
        path: Arc<str>,
        run: String,
    },
    /// Ask it once more: nobody knows whether it has heard.
    AskChild {
        run: String,
    },
    /// Nothing can be concluded before this; look at the step again then.
    Defer {
        path: Arc<str>,
        error: super::Failure,
        until: Timestamp,
    },
    /// Undoing cannot even be tried; put it aside.
    Park {
        path: Arc<str>,
        error: super::Failure,
    },
    /// The process ended between sending a call that must not be made twice and writing its outcome.
    Interrupted {
        path: Arc<str>,
        error: super::Failure,
    },
    /// Find out what became of the message of a step that is to be undone; withdraw it when it was not sent.
    TakeBack {
        path: Arc<str>,
        step: Arc<str>,
    },
    /// Nothing waits under this path any more.
    Clear {
        path: Arc<str>,
    },
    End(Box<Ended>),
}

/// When a timer fires.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Until {
    After(Duration),
    At(Timestamp),
    /// After the backoff of a round.
    Backoff {
        round: u32,
        wait: Duration,
        max: Duration,
    },
}

/// What is said.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Speech {
    Emit(Value),
    Ask { entity: Value, field: String, prompt: String, more: Value, shown: Shown },
    Confirm { entity: Value, summary: String, more: Value, shown: Shown },
}

impl Speech {
    /// How long a confirm act says that its answer is waited for.
    pub(crate) fn patience(&self) -> Option<Duration> {
        match self {
            Self::Confirm { more, .. } => more.get("timeout_ms")?.as_u64().map(Duration::from_millis),
            Self::Emit(_) | Self::Ask { .. } => None,
        }
    }
}

/// What a question shows beside its words, and whom it is for.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Shown {
    pub(crate) shows: Value,
    pub(crate) by: conversation::By,
}

/// One call to be made.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Effect {
    pub(crate) path: Arc<str>,
    pub(crate) system: Arc<str>,
    pub(crate) operation: Arc<str>,
    pub(crate) input: Value,
    pub(crate) key: String,
    pub(crate) repeat: Repeat,
    /// The member of a group that it is for; then `system` is that member.
    pub(crate) member: Option<Arc<str>>,
    /// The members that may answer for it, when it goes through a group.
    pub(crate) members: Members,
    /// The member that the group asks first, as the journal says.
    pub(crate) first: Option<Arc<str>>,
    /// An earlier send of the same may have landed.
    pub(crate) perhaps: bool,
    /// It is written down before it leaves: it changes something, or what goes on with it must not be forgotten.
    pub(crate) written: bool,
    pub(crate) timeout: Option<Duration>,
    pub(crate) purpose: Purpose,
}

/// What a call is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The step itself.
    Do,
    /// Looking up what is there before the step is sent.
    Before,
    /// Finding out whether the step landed, with its `verify` operation.
    Verify,
    /// Undoing the step.
    Undo,
    /// Asking for the step's output again under its own key, because undoing needs it.
    Recall,
}

impl Purpose {
    /// Whether it finds out what became of a step, rather than doing or undoing it.
    pub(crate) fn asks(self) -> bool {
        match self {
            Self::Before | Self::Verify | Self::Recall => true,
            Self::Do | Self::Undo => false,
        }
    }
}
