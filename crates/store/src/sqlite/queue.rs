//! The way to the writer: bounded in batches and in bytes, and never a wait to get in.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::shared::Shared;
use crate::{Batch, Error, Lease, Options, Receipt};

/// What the writer is asked to do.
pub(super) enum Command {
    /// Commit a batch.
    Commit(Job),
    /// Forget some of what expired; answers how much went.
    Prune { now: Timestamp, answer: oneshot::Sender<Result<u64, Error>> },
    /// Begin the next epoch; what comes after with an earlier one is refused.
    TakeOver { answer: oneshot::Sender<Lease> },
    /// Stop; the answer comes when the file is closed.
    Close { answer: oneshot::Sender<()> },
}

/// A batch on its way.
pub(super) struct Job {
    pub(super) batch: Box<Batch>,
    pub(super) lease: Lease,
    pub(super) size: usize,
    pub(super) answer: oneshot::Sender<Result<Receipt, Error>>,
}

/// The way in.
#[derive(Debug)]
pub(super) struct Queue {
    commands: Mutex<Option<SyncSender<Command>>>,
    shared: Arc<Shared>,
    bytes: usize,
    batch_bytes: usize,
}

impl Queue {
    pub(super) fn new(options: &Options, shared: Arc<Shared>) -> (Self, Receiver<Command>) {
        let (commands, receiver) = sync_channel(options.queue);
        let commands = Mutex::new(Some(commands));
        (Self { commands, shared, bytes: options.queue_bytes, batch_bytes: options.batch_bytes }, receiver)
    }

    pub(super) async fn commit(&self, batch: Batch, lease: Lease) -> Result<Receipt, Error> {
        let size = batch.fits(self.batch_bytes)?;
        let (answer, answered) = oneshot::channel();
        self.enter(size)?;
        self.send(Command::Commit(Job { batch: Box::new(batch), lease, size, answer }))
            .inspect_err(|_| self.leave(size))?;
        answered.await.unwrap_or(Err(Error::Closed))
    }

    pub(super) async fn prune(&self, now: Timestamp) -> Result<u64, Error> {
        let (answer, answered) = oneshot::channel();
        self.send(Command::Prune { now, answer })?;
        answered.await.unwrap_or(Err(Error::Closed))
    }

    pub(super) async fn take_over(&self) -> Result<Lease, Error> {
        let (answer, answered) = oneshot::channel();
        self.send(Command::TakeOver { answer })?;
        answered.await.map_err(|_| Error::Closed)
    }

    /// Asks the writer to stop after what is queued, and waits until the file is closed.
    pub(super) async fn close(&self) {
        let Some(commands) = self.commands.lock().take() else { return };
        let (answer, answered) = oneshot::channel();
        // The queue may be full: waiting for a place must not hold up the runtime.
        let sent = tokio::task::spawn_blocking(move || commands.send(Command::Close { answer })).await;
        if matches!(sent, Ok(Ok(()))) {
            let _ = answered.await;
        }
    }

    /// Lets the writer end once the queue is empty.
    pub(super) fn hang_up(&self) {
        self.commands.lock().take();
    }

    fn send(&self, command: Command) -> Result<(), Error> {
        match self.commands.lock().as_ref().map(|commands| commands.try_send(command)) {
            Some(Ok(())) => Ok(()),
            Some(Err(TrySendError::Full(_))) => Err(Error::Busy),
            Some(Err(TrySendError::Disconnected(_))) | None => Err(Error::Closed),
        }
    }

    fn enter(&self, size: usize) -> Result<(), Error> {
        self.shared.queued.fetch_add(1, Ordering::Relaxed);
        let before = self.shared.queued_bytes.fetch_add(size, Ordering::Relaxed);
        if before > 0 && before + size > self.bytes {
            self.leave(size);
            return Err(Error::Busy);
        }
        Ok(())
    }

    fn leave(&self, size: usize) {
        self.shared.queued.fetch_sub(1, Ordering::Relaxed);
        self.shared.queued_bytes.fetch_sub(size, Ordering::Relaxed);
    }
}
