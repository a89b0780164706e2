//! The one thread that writes.
//!
//! It takes a batch and whatever else is queued by then, writes them in one transaction, commits (one sync), makes
//! the new head known and answers all. There is no waiting for more: under load the sync is the wait.
//!
//! A refused batch costs the others nothing when it is refused before it wrote; otherwise the transaction is rolled
//! back and its batches are committed one by one. A write or sync that fails fences the store.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::thread::JoinHandle;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::apply::{Ledger, apply};
use super::checkpointer::Checkpointer;
use super::fault::Fault;
use super::lock::Lock;
use super::open::Opened;
use super::queue::{Command, Job};
use super::shared::Shared;
use super::{keys, signals};
use crate::mutants::Mutant;
use crate::{Error, Options, Receipt, failpoint};

/// Rows forgotten in one transaction.
const PRUNED: usize = 500;

/// Starts the thread.
pub(super) fn start(
    opened: Opened,
    commands: Receiver<Command>,
    shared: Arc<Shared>,
    options: Options,
) -> Result<JoinHandle<()>, Error> {
    let Opened { mut connection, lock, head, fence, path, .. } = opened;
    let checkpointer = Checkpointer::start(&path, &mut connection, shared.clone())?;
    let mut writer = Writer {
        connection,
        _checkpointer: checkpointer,
        lock,
        ledger: Ledger::new(head, fence),
        commands,
        shared,
        options,
        next: None,
        changes: 0,
    };
    let thread = std::thread::Builder::new().name("store-writer".into());
    let spawned = thread.spawn(move || {
        let closing = writer.run();
        writer.settle();
        drop(writer);
        if let Some(answer) = closing {
            let _ = answer.send(());
        }
    });
    spawned.map_err(|cause| Error::Io { cause: format!("starting the writer: {cause}") })
}

struct Writer {
    // Dropped in this order: the lock goes when nothing touches the file any more.
    connection: Connection,
    _checkpointer: Checkpointer,
    lock: Lock,
    ledger: Ledger,
    commands: Receiver<Command>,
    shared: Arc<Shared>,
    options: Options,
    /// A command that was taken while a group was filled and is not for the group.
    next: Option<Command>,
    /// Rows changed when the transaction began.
    changes: u64,
}

impl Writer {
    /// Works until nobody can ask for anything more. Returns whom to tell that the store is closed.
    fn run(&mut self) -> Option<oneshot::Sender<()>> {
        loop {
            match self.take() {
                Ok(Command::Commit(job)) => self.group(job),
                Ok(Command::Prune { now, answer }) => {
                    let pruned = self.prune(now).map_err(|fault| self.refuse(fault));
                    let _ = answer.send(pruned);
                }
                Ok(Command::TakeOver { answer }) => {
                    let _ = answer.send(self.ledger.fence().take());
                }
                Ok(Command::Close { answer }) => return Some(answer),
                Err(RecvTimeoutError::Timeout) => self.probe(),
                Err(RecvTimeoutError::Disconnected) => return None,
            }
        }
    }

    fn take(&mut self) -> Result<Command, RecvTimeoutError> {
        match self.next.take() {
            Some(command) => Ok(command),
            None if self.shared.is_full() => self.commands.recv_timeout(self.options.probe),
            None => self.commands.recv().map_err(|_| RecvTimeoutError::Disconnected),
        }
    }

    /// Another batch, when one is queued and nothing else comes first.
    fn take_batch(&mut self) -> Option<Job> {
        match self.commands.try_recv() {
            Ok(Command::Commit(job)) => Some(job),
            Ok(other) => {
                self.next = Some(other);
                None
            }
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => None,
        }
    }

    /// Commits `first` and what is queued behind it.
    fn group(&mut self, first: Job) {
        let mut jobs = vec![first];
        let filled = self.begin().and_then(|()| self.fill(&mut jobs));
        if let (Ok(results), true) = (&filled, Mutant::AckEarly.is_on()) {
            self.answer(std::mem::take(&mut jobs), results.clone());
            // Early enough for the caller to see it.
            std::thread::sleep(Duration::from_millis(5));
        }
        match filled.and_then(|results| self.commit().map(|()| results)) {
            Ok(results) => self.answer(jobs, results),
            Err(fault) => self.fall_back(fault, jobs),
        }
        failpoint("store.acknowledged");
    }

    /// Writes the first of `jobs` and those that are queued, as they come, until the group is full.
    fn fill(&mut self, jobs: &mut Vec<Job>) -> Result<Vec<Result<Receipt, Error>>, Fault> {
        let (mut results, mut bytes) = (Vec::new(), 0);
        while let Some(job) = jobs.get(results.len()) {
            bytes += job.size;
            results.push(self.write(job)?);
            if jobs.len() < self.options.group
                && bytes < self.options.group_bytes
                && let Some(next) = self.take_batch()
            {
                jobs.push(next);
            }
        }
        Ok(results)
    }

    /// Writes one batch. The inner error is a refusal that left no trace; the outer one spoils the transaction.
    fn write(&mut self, job: &Job) -> Result<Result<Receipt, Error>, Fault> {
        let before = self.connection.total_changes();
        match apply(&self.connection, &mut self.ledger, (&job.batch, &job.lease)) {
            Ok(receipt) => Ok(Ok(receipt)),
            Err(Fault::Refused(error)) if self.connection.total_changes() == before => Ok(Err(error)),
            Err(fault) => Err(fault),
        }
    }

    /// After a group that could not be committed as one: each batch by itself, or none ever again.
    fn fall_back(&mut self, fault: Fault, jobs: Vec<Job>) {
        self.roll_back();
        if jobs.len() == 1 || !fault.may_pass() {
            let error = self.refuse(fault);
            let results = jobs.iter().map(|_| Err(error.clone())).collect();
            return self.answer(jobs, results);
        }
        for job in jobs {
            let result = self.alone(&job);
            self.answer(vec![job], vec![result]);
        }
    }

    fn alone(&mut self, job: &Job) -> Result<Receipt, Error> {
        let given = (&*job.batch, &job.lease);
        let written = self.transact(|writer| apply(&writer.connection, &mut writer.ledger, given));
        written.map_err(|fault| self.refuse(fault))
    }

    /// What to tell whoever asked, after drawing the consequences for everybody else.
    fn refuse(&self, fault: Fault) -> Error {
        let passes = fault.may_pass();
        let error = fault.into_error();
        if !passes {
            self.shared.fence(&error.to_string());
        } else if error == Error::Full {
            self.shared.set_full(true);
        }
        self.shared.fenced().unwrap_or(error)
    }

    /// Makes the new head known and answers. What is acknowledged is durable and visible by then.
    fn answer(&self, jobs: Vec<Job>, results: Vec<Result<Receipt, Error>>) {
        for (job, result) in jobs.into_iter().zip(results) {
            self.shared.queued.fetch_sub(1, Ordering::Relaxed);
            self.shared.queued_bytes.fetch_sub(job.size, Ordering::Relaxed);
            // Nobody may be waiting any more; the batch stands all the same.
            let _ = job.answer.send(result);
        }
    }

    fn transact<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, Fault>) -> Result<T, Fault> {
        let worked = self.begin().and_then(|()| work(self)).and_then(|done| self.commit().map(|()| done));
        worked.inspect_err(|_| self.roll_back())
    }

    fn begin(&mut self) -> Result<(), Fault> {
        if let Some(fenced) = self.shared.fenced() {
            return Err(fenced.into());
        }
        self.connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        self.changes = self.connection.total_changes();
        failpoint("store.begun");
        Ok(())
    }

    fn commit(&mut self) -> Result<(), Fault> {
        failpoint("store.applied");
        self.connection.prepare_cached("COMMIT")?.execute([])?;
        failpoint("store.committed");
        // A transaction of refusals only has written nothing and says nothing about space.
        if self.connection.total_changes() != self.changes {
            self.shared.set_full(false);
        }
        self.publish();
        Ok(())
    }

    fn publish(&mut self) {
        let head = self.ledger.head();
        if head != *self.shared.head.borrow() {
            self.lock.note(head);
            self.shared.head.send_replace(head);
            failpoint("store.published");
        }
    }

    fn roll_back(&mut self) {
        if !self.connection.is_autocommit()
            && let Err(cause) = self.connection.execute_batch("ROLLBACK")
        {
            self.shared.fence(&format!("rolling back: {cause}"));
        }
        let head = *self.shared.head.borrow();
        self.ledger.forget(head);
    }

    fn prune(&mut self, now: Timestamp) -> Result<u64, Fault> {
        self.transact(|writer| {
            let keys = keys::prune(&writer.connection, now, PRUNED)?;
            let signals = signals::prune(&writer.connection, PRUNED)?;
            Ok((keys + signals) as u64)
        })
    }

    /// Looks whether a full disk has space again, so that readiness comes back without a caller's write.
    fn probe(&mut self) {
        let sql =
            "INSERT INTO probe (id, times) VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET times = times + 1";
        let probed = self.transact(|writer| Ok(writer.connection.execute(sql, [])?));
        if let Err(fault) = probed {
            self.refuse(fault);
        }
    }

    /// Moves the write-ahead log into the database, so that a closed store is one file.
    fn settle(&mut self) {
        if self.shared.fenced().is_none() {
            // A reader may be in the way; then the next opening does it.
            let _ = self.connection.busy_timeout(Duration::from_millis(200));
            let _ = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.shared.fence("a panic in the writer");
        }
    }
}
