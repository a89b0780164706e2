//! The store on SQLite: one writer thread, one thread that moves the write-ahead log into the database, and some
//! connections to read with. PostgreSQL is to stand beside this folder with the same face.
//!
//! In order: `open` makes or checks the file, `lock` keeps others out, `queue` leads to the `writer`, which has each
//! batch `apply`-ed and commits in groups; `readers` serve reads; the other files know one family of rows each.

mod apply;
mod checkpointer;
mod column;
mod fault;
mod inline;
mod lock;
mod look;
mod meta;
mod open;
mod queue;
mod read;
mod readers;
mod shape;
mod shared;
mod sum;
mod verify;
mod writer;

pub(crate) mod answers;
pub(crate) mod census;
pub(crate) mod checkpoints;
pub(crate) mod dead;
pub(crate) mod events;
pub(crate) mod keys;
pub(crate) mod lanes;
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
use self::inline::Inline;
use self::open::Durability;
use self::queue::Queue;
use self::read::Read;
use self::readers::Readers;
use self::shared::Shared;
use crate::claims::Claims;
use crate::lease::Fence;
use crate::{Batch, Error, Health, Lease, Moment, Options, Receipt, Verified};

/// One open store. Dropping it commits what is queued and gives the file back.
#[derive(Debug)]
pub(crate) struct Sqlite {
    way: Way,
    shared: Arc<Shared>,
    installation: Arc<str>,
    fence: Arc<Fence>,
    claims: Arc<Claims>,
    batch_bytes: usize,
}

/// How commits and reads reach the database.
#[derive(Debug)]
enum Way {
    Threads(Threads),
    Inline(Inline),
}

/// A writer's thread, and connections for reading on threads that may block.
#[derive(Debug)]
struct Threads {
    queue: Queue,
    readers: Readers,
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

    /// In memory and without threads: what is asked is done before the caller's poll returns.
    pub(crate) fn inline(options: &Options) -> Result<Self, Error> {
        Ok(Self::over(Inline::new(options)?, inline::INSTALLATION.into(), options.batch_bytes))
    }

    /// The next process's store over the same rows, when this one has no threads.
    pub(crate) fn reopened(&self) -> Option<Self> {
        let Way::Inline(inline) = &self.way else { return None };
        Some(Self::over(inline.reopened(), self.installation.clone(), self.batch_bytes))
    }

    fn over(inline: Inline, installation: Arc<str>, batch_bytes: usize) -> Self {
        let (shared, fence) = (inline.shared(), inline.fence());
        Self { way: Way::Inline(inline), shared, installation, fence, claims: Arc::default(), batch_bytes }
    }

    /// Has each moment of an inline store decided by a test.
    pub(crate) fn decide(&self, decide: impl FnMut(Moment<'_>) -> crate::Fate + Send + 'static) {
        if let Way::Inline(inline) = &self.way {
            inline.decide(Box::new(decide));
        }
    }

    fn start(
        path: &Path,
        options: Options,
        durability: Durability,
        directory: Option<tempfile::TempDir>,
    ) -> Result<Self, Error> {
        let opened = open::open(path, &options, durability)?;
        let shared = Arc::new(Shared::new(opened.head));
        let (installation, batch_bytes) = (opened.installation.clone(), options.batch_bytes);
        let fence = opened.fence.clone();
        let readers = Readers::new(path, &options);
        let (queue, commands) = Queue::new(&options, shared.clone());
        let writer = writer::start(opened, commands, shared.clone(), options)?;
        let threads = Threads { queue, readers, writer: Some(writer), _directory: directory };
        Ok(Self {
            way: Way::Threads(threads),
            shared,
            installation,
            fence,
            claims: Arc::default(),
            batch_bytes,
        })
    }

    pub(crate) async fn commit(&self, batch: Batch, lease: Lease) -> Result<Receipt, Error> {
        match &self.way {
            Way::Threads(threads) => threads.queue.commit(batch, lease).await,
            Way::Inline(inline) => inline.commit(&batch, &lease).await,
        }
    }

    /// Begins the next epoch, after whatever is on its way to the disk.
    pub(crate) async fn take_over(&self) -> Result<Lease, Error> {
        match &self.way {
            Way::Threads(threads) => threads.queue.take_over().await,
            Way::Inline(inline) => Ok(inline.take_over()),
        }
    }

    pub(crate) fn claims(&self) -> &Arc<Claims> {
        &self.claims
    }

    pub(crate) fn fence(&self) -> &Fence {
        &self.fence
    }

    pub(crate) async fn prune(&self, now: Timestamp) -> Result<u64, Error> {
        let mut gone = 0;
        loop {
            let pruned = match &self.way {
                Way::Threads(threads) => threads.queue.prune(now).await?,
                Way::Inline(inline) => inline.prune(now).await?,
            };
            match pruned {
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
        match &self.way {
            Way::Threads(threads) => threads.readers.read(reading).await,
            Way::Inline(inline) => inline.read(reading).await,
        }
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

    pub(crate) fn batch_bytes(&self) -> usize {
        self.batch_bytes
    }

    pub(crate) fn health(&self) -> Health {
        self.shared.health()
    }

    pub(crate) async fn close(&self) {
        match &self.way {
            Way::Threads(threads) => threads.queue.close().await,
            Way::Inline(inline) => inline.close(),
        }
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.queue.hang_up();
        if let Some(writer) = self.writer.take() {
            // A writer that panicked has already said so, and its callers got `Closed`.
            let _ = writer.join();
        }
    }
}
