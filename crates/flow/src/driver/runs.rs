//! The runs in memory, and how they are sent messages.

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
    /// The breaker of a system lets calls out again.
    Wake { system: String },
    /// A person decided.
    Command { command: Command, reply: oneshot::Sender<Result<(), Error>> },
}

/// What a person decided; checked against the state when it arrives.
pub(super) enum Command {
    Cancel { by: String },
    Pause { by: String },
    Resume,
    Restart { step: String },
    Replay { letter: String, step: String, input: Option<serde_json::Value> },
}

impl Command {
    pub(super) fn event(&self) -> Event {
        match self {
            Self::Cancel { by } => Event::RunCancelling { by: by.clone() },
            Self::Pause { by } => Event::RunPaused { by: by.clone() },
            Self::Resume => Event::RunResumed,
            Self::Restart { step } => Event::RunRestarted { path: step.as_str().into() },
            Self::Replay { step, input, .. } => {
                Event::StepReplayed { path: step.as_str().into(), input: input.clone() }
            }
        }
    }
}

/// A run in memory.
pub(super) struct Handle {
    inbox: mpsc::Sender<Message>,
    task: AbortHandle,
}

impl Handle {
    pub(super) fn abort(&self) {
        self.task.abort();
    }
}

impl Engine {
    /// Tells a run, bringing it into memory when it is not there. What a full inbox drops is found again anyway.
    pub(super) fn send(&self, run: &str, message: Message) {
        self.send_to(run, None, message);
    }

    /// The same for a run that may have been begun just now; then it need not be read back.
    pub(super) fn send_to(&self, run: &str, begun: Option<Loaded>, message: Message) {
        if self.is_stopping() {
            return;
        }
        let mut runs = self.0.runs.lock();
        let message = match runs.get(run).map(|handle| &handle.inbox) {
            Some(inbox) => match inbox.try_send(message) {
                Ok(()) => return,
                Err(mpsc::error::TrySendError::Full(message)) => return refuse(run, message),
                Err(mpsc::error::TrySendError::Closed(message)) => message,
            },
            None => message,
        };
        let (inbox, receiver) = mpsc::channel(self.0.limits.inbox.max(1));
        let _ = inbox.try_send(message);
        let living = runner::live(self.clone(), run.to_owned(), begun, receiver);
        let task = self.0.home.spawn(living).abort_handle();
        runs.insert(run.to_owned(), Handle { inbox, task });
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
