//! The runs in memory, and how they are sent messages.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use store::KeyOp;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;

use super::load::Loaded;
use super::{Engine, runner};
use crate::Error;
use crate::core::Event;

/// What a run is told.
pub(super) enum Message {
    /// Something may have changed: a signal, a turn, a topic.
    Look,
    /// A timer is due.
    Due { id: String, step: String },
    /// A person decided.
    Command {
        command: Command,
        /// Written with what it does.
        records: Vec<KeyOp>,
        reply: oneshot::Sender<Result<(), Error>>,
    },
}

/// What a person decided; checked against the state when it arrives.
pub(super) enum Command {
    Cancel { by: String },
    Pause { by: String },
    Resume,
    Restart { step: String },
    Undo { by: String, reason: Option<String> },
    ReleaseKey { by: String, reason: Option<String> },
    Replay { letter: String, step: String, input: Option<serde_json::Value> },
}

impl Command {
    pub(super) fn event(&self) -> Event {
        match self {
            Self::Cancel { by } => Event::RunCancelling { by: by.clone() },
            Self::Pause { by } => Event::RunPaused { by: by.clone() },
            Self::Resume => Event::RunResumed,
            Self::Restart { step } => Event::RunRestarted { path: step.as_str().into() },
            Self::Undo { by, reason } => Event::RunUndoing { by: by.clone(), reason: reason.clone() },
            Self::ReleaseKey { by, reason } => Event::KeyReleased { by: by.clone(), reason: reason.clone() },
            Self::Replay { step, input, .. } => {
                Event::StepReplayed { path: step.as_str().into(), input: input.clone() }
            }
        }
    }
}

/// A run in memory.
pub(super) struct Handle {
    inbox: mpsc::Sender<Message>,
    /// Something may have changed that a full inbox did not take.
    missed: Arc<AtomicBool>,
    task: AbortHandle,
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

    /// The same for a run that may have been begun just now; then it need not be read back.
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
        let (inbox, receiver) = mpsc::channel(self.0.limits.inbox.max(1));
        let _ = inbox.try_send(message);
        let missed = Arc::new(AtomicBool::new(false));
        let living = runner::live(self.clone(), run.to_owned(), begun, (receiver, missed.clone()));
        let task = self.0.home.spawn(living).abort_handle();
        runs.insert(run.to_owned(), Handle { inbox, missed, task });
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
    use super::*;

    #[tokio::test]
    async fn what_a_full_inbox_does_not_take_is_looked_for() {
        let (inbox, _kept) = mpsc::channel(1);
        let task = tokio::spawn(async {}).abort_handle();
        let handle = Handle { inbox, missed: Arc::default(), task };
        assert!(handle.take(Message::Look).is_ok() && !handle.missed.load(Ordering::Acquire));
        assert!(handle.take(Message::Look).is_err() && handle.missed.load(Ordering::Acquire));
    }
}
