//! The runs in memory, and how they are sent messages.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;
use store::{Claim, KeyOp, Work};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;

use super::due::Due;
use super::load::Loaded;
use super::{Engine, runner};
use crate::Error;
use crate::core::{Author, Event};

/// What a run is told.
pub(super) enum Message {
    /// Something may have changed: a signal, a turn, a topic.
    Look,
    /// A timer is due.
    Due(Box<Timer>),
    /// A person decided.
    Command {
        command: Box<Command>,
        /// Written with what it does.
        records: Vec<KeyOp>,
        reply: oneshot::Sender<Result<(), Error>>,
    },
}

/// A timer that is due.
pub(super) struct Timer {
    pub(super) id: String,
    /// What it is for; `None` when that cannot be read.
    pub(super) due: Option<Due>,
    /// The run is not told of it again before this is dropped.
    pub(super) _claim: Claim,
}

/// What somebody decided about a run, and why; checked against the state when it arrives.
pub(super) struct Command {
    pub(super) what: What,
    pub(super) by: Author,
}

/// What is to be done.
pub(super) enum What {
    Cancel,
    Pause,
    Resume {
        send_again: bool,
        /// Only what this step asked for.
        step: Option<String>,
    },
    Restart {
        step: String,
        send_again: bool,
    },
    Replay {
        letter: String,
        step: String,
        input: Option<Value>,
        send_again: bool,
    },
    /// A person found out what became of a step: its output, or that it did not land.
    Settle {
        step: String,
        landed: Option<Value>,
    },
    /// Everything that an ended run did is undone.
    Undo {
        /// Also below a later run with its key that has succeeded.
        force: bool,
    },
    /// Others with its key pass a run whose undoing is not over.
    ReleaseKey,
}

impl Command {
    pub(super) fn new(what: What, by: Author) -> Self {
        Self { what, by }
    }

    pub(super) fn event(&self) -> Event {
        let by = self.by.clone();
        match &self.what {
            What::Cancel => Event::RunCancelling { by },
            What::Pause => Event::RunPaused { by },
            What::Resume { send_again, step } => {
                let step = step.as_deref().map(Into::into);
                Event::RunResumed { by, send_again: *send_again, step }
            }
            What::Restart { step, send_again } => {
                Event::RunRestarted { path: step.as_str().into(), by, send_again: *send_again }
            }
            What::Undo { force } => Event::RunUndoing { by, force: *force },
            What::ReleaseKey => Event::KeyReleased { by },
            What::Replay { step, input, send_again, .. } => {
                let (path, input) = (step.as_str().into(), input.clone());
                Event::StepReplayed { path, input, by, send_again: *send_again }
            }
            What::Settle { step, landed } => {
                let (path, output) = (step.as_str().into(), landed.clone().unwrap_or_default().into());
                Event::StepSettled { path, landed: landed.is_some(), output, by }
            }
        }
    }

    /// Whether somebody said that what may have landed is sent again.
    pub(super) fn sends_again(&self) -> bool {
        match self.what {
            What::Resume { send_again, .. } | What::Restart { send_again, .. } => send_again,
            What::Replay { send_again, .. } => send_again,
            What::Cancel | What::Pause | What::Settle { .. } => true,
            What::Undo { .. } | What::ReleaseKey => true,
        }
    }
}

/// A run in memory.
pub(super) struct Handle {
    inbox: mpsc::Sender<Message>,
    /// Something may have changed that a full inbox did not take.
    missed: Arc<AtomicBool>,
    task: AbortHandle,
    /// No other engine has it in memory.
    _claim: Claim,
}

impl Handle {
    fn take(&self, message: Message) -> Result<(), TrySendError<Message>> {
        self.inbox.try_send(message).or_else(|error| match error {
            TrySendError::Full(message) => {
                // Said before it is tried again: while the inbox is full there is a message after which it is seen.
                self.missed.store(true, Ordering::Release);
                self.inbox.try_send(message)
            }
            closed => Err(closed),
        })
    }

    pub(super) fn abort(&self) {
        self.task.abort();
    }
}

impl Engine {
    /// Tells a run, bringing it into memory when it is not there. A run whose inbox is full looks for itself what has
    /// changed when it has worked that off.
    pub(super) fn send(&self, run: &str, message: Message) {
        self.send_to(run, None, message);
    }

    /// The same for a run that may have been begun just now; then it need not be read back. A run that somebody else has
    /// claimed, or whose store somebody else has taken over, is not even loaded.
    pub(super) fn send_to(&self, run: &str, begun: Option<Loaded>, message: Message) {
        if self.is_stopping() {
            return;
        }
        let mut runs = self.0.runs.lock();
        let message = match runs.get(run) {
            Some(handle) => match handle.take(message) {
                Ok(()) => return,
                Err(TrySendError::Full(message)) => return refuse(run, message),
                Err(TrySendError::Closed(message)) => message,
            },
            None => message,
        };
        // What is left of a run that has gone gives its claim back.
        runs.remove(run);
        let Some(claim) = self.0.store.claim(Work::Run, run) else { return refuse(run, message) };
        let (inbox, receiver) = mpsc::channel(self.0.limits.inbox.max(1));
        let _ = inbox.try_send(message);
        let missed = Arc::new(AtomicBool::new(false));
        let living = runner::live(self.clone(), run.to_owned(), begun, (receiver, missed.clone()));
        let task = self.0.home.spawn(living).abort_handle();
        runs.insert(run.to_owned(), Handle { inbox, missed, task, _claim: claim });
    }

    /// Takes a run out of memory, unless a message has come in the meantime.
    pub(super) fn retire(&self, run: &str, inbox: &mut mpsc::Receiver<Message>) -> Option<Message> {
        let mut runs = self.0.runs.lock();
        match inbox.try_recv() {
            Ok(message) => Some(message),
            Err(_) => {
                inbox.close();
                runs.remove(run);
                None
            }
        }
    }
}

fn refuse(run: &str, message: Message) {
    if let Message::Command { reply, .. } = message {
        let _ = reply.send(Err(Error::Busy(run.to_owned())));
    }
}

#[cfg(test)]
mod tests {
    use store::Store;

    use super::*;

    #[tokio::test]
    async fn what_a_full_inbox_does_not_take_is_looked_for() {
        let (inbox, _kept) = mpsc::channel(1);
        let task = tokio::spawn(async {}).abort_handle();
        let claim = Store::inline().unwrap().claim(Work::Run, "run_1").unwrap();
        let handle = Handle { inbox, missed: Arc::default(), task, _claim: claim };
        assert!(handle.take(Message::Look).is_ok() && !handle.missed.load(Ordering::Acquire));
        assert!(handle.take(Message::Look).is_err() && handle.missed.load(Ordering::Acquire));
    }
}
