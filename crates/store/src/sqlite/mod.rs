//! The store on SQLite: one writer thread, one thread that moves the write-ahead log into the database, and some
//! connections to read with. PostgreSQL is to stand beside this folder with the same face.
//!
//! In order: `open` makes or checks the file, `lock` keeps others out, `queue` leads to the `writer`, which has each
//! batch `apply`-ed and commits in groups; `readers` serve reads; the other files know one family of rows each.

mod apply;
mod checkpointer;
mod column;
mod fault;
mod lock;
mod meta;
mod open;
mod queue;
mod read;
mod readers;
mod shared;
mod sum;
mod verify;
mod writer;

pub(crate) mod census;
pub(crate) mod checkpoints;
pub(crate) mod dead;
pub(crate) mod events;
pub(crate) mod keys;
pub(crate) mod outbox;
pub(crate) mod query;
pub(crate) mod runs;
pub(crate) mod signals;
pub(crate) mod states;
pub(crate) mod timers;

use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use jiff::Timestamp;
use tokio::sync::watch;

use self::fault::Fault;
use self::open::Durability;
use self::queue::Queue;
use self::read::Read;
use self::readers::Readers;
use self::shared::Shared;
use crate::{Batch, Error, Health, Options, Receipt, Verified};

/// One open store. Dropping it commits what is queued and gives the file back.
#[derive(Debug)]
pub(crate) struct Sqlite {
    queue: Queue,
    readers: Readers,
    shared: Arc<Shared>,
    installation: Arc<str>,
    writer: Option<JoinHandle<()>>,
    /// Goes last, after every connection into it.
    _directory: Option<tempfile::TempDir>,
}

impl Sqlite {
    pub(crate) fn open(path: &Path, options: Options) -> Result<Self, Error> {
        Self::start(path, options, Durability::Full, None)
    }

    pub(crate) fn temporary(options: Options) -> Result<Self, Error> {
        let directory = tempfile::tempdir().map_err(|cause| Error::Io { cause: cause.to_string() })?;
        let path = directory.path().join("temporary.db");
        Self::start(&path, options, Durability::None, Some(directory))
    }

    fn start(
        path: &Path,
        options: Options,
        durability: Durability,
        directory: Option<tempfile::TempDir>,
    ) -> Result<Self, Error> {
        let opened = open::open(path, &options, durability)?;
        let shared = Arc::new(Shared::new(opened.head));
        let installation = opened.installation.clone();
        let readers = Readers::new(path, &options);
        let (queue, commands) = Queue::new(&options, shared.clone());
        let writer = writer::start(opened, commands, shared.clone(), options)?;
        Ok(Self { queue, readers, shared, installation, writer: Some(writer), _directory: directory })
    }

    pub(crate) async fn commit(&self, batch: Batch) -> Result<Receipt, Error> {
        self.queue.commit(batch).await
    }

    pub(crate) async fn prune(&self, now: Timestamp) -> Result<u64, Error> {
        let mut gone = 0;
        loop {
            match self.queue.prune(now).await? {
                0 => return Ok(gone),
                some => gone += some,
            }
        }
    }

    /// Reads on another thread with a connection of its own.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        reading: impl FnOnce(&Read<'_>) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Error> {
        self.readers.read(reading).await
    }

    pub(crate) async fn verify(&self) -> Result<Verified, Error> {
        self.read(verify::verify).await
    }

    pub(crate) fn head(&self) -> watch::Receiver<u64> {
        self.shared.head.subscribe()
    }

    pub(crate) fn installation(&self) -> Arc<str> {
        self.installation.clone()
    }

    pub(crate) fn health(&self) -> Health {
        self.shared.health()
    }

    pub(crate) async fn close(&self) {
        self.queue.close().await;
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        self.queue.hang_up();
        if let Some(writer) = self.writer.take() {
            // A writer that panicked has already said so, and its callers got `Closed`.
            let _ = writer.join();
        }
    }
}
